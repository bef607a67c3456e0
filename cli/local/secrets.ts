import { systemClock } from "../../lib/telemetry/clock.ts";
import { type LoopbackOptions, readBody, sendJson, startLoopback } from "./loopback.ts";

/** Stands for AWS Secrets Manager; clients find it by AWS_ENDPOINT_URL_SECRETS_MANAGER. */
export interface LocalSecrets {
  readonly endpoint: string;
  /** Adds a secret or a new version of one. */
  put(id: string, value: string): void;
  close(): Promise<void>;
}

interface SecretVersion {
  readonly value: string;
  readonly version: number;
  readonly createdSeconds: number;
}

/** Serves GetSecretValue over the given `{ id: value }`, by name or ARN; every other operation is refused. */
export async function startSecrets({
  secrets,
  port = 0,
}: { readonly secrets: Readonly<Record<string, string>> } & LoopbackOptions): Promise<LocalSecrets> {
  const versions = new Map<string, SecretVersion>();
  const put = (id: string, value: string): void => {
    const version = (versions.get(id)?.version ?? 0) + 1;
    versions.set(id, { value, version, createdSeconds: systemClock.now().getTime() / 1000 });
  };
  for (const [id, value] of Object.entries(secrets)) put(id, value);

  const server = await startLoopback(
    async (request, response) => {
      const body = await readBody(request, 65_536);
      const headers = { "content-type": "application/x-amz-json-1.1" };
      if (body === undefined || request.headers["x-amz-target"] !== "secretsmanager.GetSecretValue") {
        sendJson(
          response,
          400,
          { __type: "InvalidRequestException", message: "Only GetSecretValue is served locally." },
          headers,
        );
        return;
      }
      const { SecretId: asked } = JSON.parse(body.toString()) as { SecretId?: string };
      const id = [...versions.keys()].find((known) => known === asked || arnOf(known) === asked);
      const found = id === undefined ? undefined : versions.get(id);
      if (id === undefined || found === undefined) {
        const message = "Secrets Manager can't find the specified secret.";
        sendJson(response, 400, { __type: "ResourceNotFoundException", message }, headers);
        return;
      }
      const answer = {
        ARN: arnOf(id),
        Name: id,
        SecretString: found.value,
        VersionId: `00000000-0000-4000-8000-${String(found.version).padStart(12, "0")}`,
        VersionStages: ["AWSCURRENT"],
        CreatedDate: found.createdSeconds,
      };
      sendJson(response, 200, answer, headers);
    },
    { port },
  );
  return { endpoint: server.url, put, close: () => server.close() };
}

function arnOf(id: string): string {
  return `arn:aws:secretsmanager:us-east-1:000000000000:secret:${id}-local0`;
}
