import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { CallOptions } from "../model/call.ts";

/** A secret of Secrets Manager, by name or ARN. */
export interface SecretPlace {
  readonly client: SecretsManagerClient;
  readonly secretId: string;
}

/** The text of a secret, "" for one that holds bytes; throws what the client throws, for the caller to say what is missing. */
export async function readSecretText({ client, secretId }: SecretPlace, { signal }: CallOptions = {}): Promise<string> {
  const command = new GetSecretValueCommand({ SecretId: secretId });
  const { SecretString: text } = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
  return text ?? "";
}

/** A secret that is a JSON object, or list; undefined for any other text. Never throws: the parser's own words quote the text. */
export function parseSecretObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
