import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Environment } from "../lib/config/environment.ts";
import { type Charts, type ChartsDeps, createCharts } from "../lib/source/charts/charts.ts";
import { createSecretChartCredentials } from "../lib/source/charts/credentials.ts";
import { ecrCredentials } from "../lib/source/charts/ecr.ts";
import { createHttpClient } from "../lib/source/http.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import type { Log } from "../lib/telemetry/log.ts";

/** Chart repositories: those of Amazon ECR by the function's own rights, others with the credentials of the secret. */
export function openCharts(
  { chartsSecretId: secretId, region }: Environment,
  { log, decode }: Pick<ChartsDeps, "decode"> & { readonly log: Log },
): Charts {
  const client = new SecretsManagerClient({ region });
  const http = createHttpClient({ clock, timeoutMs: 10_000 });
  const ofEcr = ecrCredentials({ credentials: () => client.config.credentials(), http, clock });
  const stated = secretId === undefined ? undefined : createSecretChartCredentials({ client, secretId });
  return createCharts({
    decode,
    credentials: async (host, options) => (await ofEcr(host, options)) ?? stated?.(host, options),
    clock,
    log,
  });
}
