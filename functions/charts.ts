import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Environment } from "../lib/config/environment.ts";
import { type Charts, type ChartsDeps, createCharts } from "../lib/source/charts/charts.ts";
import { chartCredentials, type FindCredentials } from "../lib/source/charts/credentials.ts";
import { ecrCredentials } from "../lib/source/charts/ecr.ts";
import { createHttpClient } from "../lib/source/http.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import type { Log } from "../lib/telemetry/log.ts";
import { Secret } from "../lib/telemetry/secret.ts";

/** Chart repositories: those of Amazon ECR by the function's own rights, others with the credentials of the secret. */
export function openCharts(
  { chartsSecretId: SecretId, region }: Environment,
  { log, decode }: Pick<ChartsDeps, "decode"> & { readonly log: Log },
): Charts {
  const client = new SecretsManagerClient({ region });
  const http = createHttpClient({ clock, timeoutMs: 10_000 });
  const ofEcr = ecrCredentials({ credentials: () => client.config.credentials(), http, clock });
  let stated: Promise<FindCredentials> | undefined;
  const readSecret = async (): Promise<FindCredentials> => {
    if (SecretId === undefined) return async () => undefined;
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId }));
    return chartCredentials(new Secret(text ?? ""));
  };
  return createCharts({
    decode,
    async credentials(host, options) {
      const found = await ofEcr(host, options);
      if (found !== undefined) return found;
      stated ??= readSecret();
      stated.catch(() => {
        stated = undefined;
      });
      return (await stated)(host, options);
    },
    clock,
    log,
  });
}
