import { randomBytes, randomUUID } from "node:crypto";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type LocalSecrets, startSecrets } from "../../cli/local/secrets.ts";
import { createTable, openTable, startTable } from "../../cli/local/table.ts";
import { createGithubAuthorization } from "../../lib/source/github-app.ts";
import { createGithubCredentials } from "../../lib/source/github-credentials.ts";
import type { Authorization } from "../../lib/source/remote.ts";
import type { Sources } from "../../lib/source/source.ts";
import { createSources } from "../../lib/source/sources.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { RepositoryStore } from "../../lib/store/store.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { type GithubStandIn, startGithub } from "../support/github.ts";
import { temporaryFolder } from "./repositories.ts";

/** A GitHub, a table and a secret, with what the plan function would make of them. */
export interface GithubBed {
  readonly github: GithubStandIn;
  readonly bindings: RepositoryStore;
  readonly secrets: LocalSecrets;
  /** What the clock says; tests may move it. */
  time: Date;
  /** Log lines of everything that was made here. */
  readonly lines: string[];
  /** Sources as a function has them after a cold start; the secret is read anew. */
  sources(options?: { readonly apiUrl?: string; readonly timeoutMs?: number }): Sources;
  authorization(options?: { readonly apiUrl?: string; readonly timeoutMs?: number }): Authorization;
  /** As at first: nothing is refused, and nothing was asked. */
  forget(): void;
  close(): Promise<void>;
}

export async function openGithubBed(): Promise<GithubBed> {
  const folder = await temporaryFolder();
  const bed = { time: new Date("2026-01-01T12:00:00.000Z"), lines: [] as string[] };
  const clock = { now: () => bed.time };
  const log = jsonLog({ level: "debug", clock, write: (line) => bed.lines.push(line) });
  const [github, table] = await Promise.all([startGithub({ root: folder.path, clock }), startTable()]);
  const secrets = await startSecrets({ secrets: { github: github.secret } });
  const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
  const dynamodb = openTable(table.endpoint);
  const client = new SecretsManagerClient({ ...aws, endpoint: secrets.endpoint });
  const name = `github-${randomUUID()}`;
  await createTable({ client: dynamodb, table: name });
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const bindings = createDynamoStores({ client: dynamodb, table: name, clock, snapshotKey }).repositories;
  const authorization: GithubBed["authorization"] = (options) =>
    createGithubAuthorization({
      apiUrl: github.apiUrl,
      credentials: createGithubCredentials({ client, secretId: "github", clock }),
      bindings,
      clock,
      log,
      ...options,
    });
  return Object.assign(bed, {
    github,
    bindings,
    secrets,
    forget() {
      for (const what of ["api", "git"] as const) github.refuse(what, undefined);
      github.requests.splice(0);
      github.gitAuthorizations.splice(0);
    },
    authorization,
    sources: (options?: Parameters<GithubBed["sources"]>[0]) =>
      createSources({ authorization: authorization(options), clock, log }),
    close: async () => {
      dynamodb.close();
      client.destroy();
      await Promise.all([github.close(), table.close(), secrets.close()]);
      await folder.remove();
    },
  });
}
