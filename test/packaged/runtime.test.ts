import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { Outcome } from "../../cli/local/invocation.ts";
import { readBody, sendJson, startLoopback } from "../../cli/local/loopback.ts";
import { startMemoryTable } from "../../cli/local/memory-table.ts";
import { signedHeaders } from "../../cli/local/push-event.ts";
import { startSecrets } from "../../cli/local/secrets.ts";
import { createTable, openTable } from "../../cli/local/table.ts";
import type { Worker } from "../../cli/local/worker.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { ensureRuntimeClient } from "../../scripts/runtime-client.ts";
import { until } from "../control-plane/until.ts";
import { packagedService } from "../infra/artefacts.ts";
import { functionArn, type PackagedFunction, packagedFunctions } from "./functions.ts";
import { type Boots, packagedWorker } from "./worker.ts";

const client = await ensureRuntimeClient({ progress: (line) => process.stderr.write(`${line}\n`) });
const skip = "unavailable" in client ? client.unavailable : false;
const secret = "runtime-webhook-secret";

/** What the webhook function calls for a ping. Secrets Manager can be held: it takes requests, and answers none of them. */
async function startServices(table: string) {
  const [memoryTable, secrets] = await Promise.all([
    startMemoryTable(),
    startSecrets({ secrets: { webhook: JSON.stringify({ current: secret }) } }),
  ]);
  const client = openTable(memoryTable.endpoint);
  await createTable({ client, table });
  let hold = false;
  const holding = new Set<object>();
  const front = await startLoopback(async (request, response) => {
    if (hold) {
      holding.add(request);
      await once(response, "close");
      holding.delete(request);
      return;
    }
    const headers = { "x-amz-target": String(request.headers["x-amz-target"]) };
    const body = await readBody(request, 65_536);
    const answer = await fetch(secrets.endpoint, { method: "POST", headers, body: String(body) });
    sendJson(response, answer.status, await answer.json());
  });
  return {
    environment: {
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: front.url,
      AWS_ENDPOINT_URL_DYNAMODB: memoryTable.endpoint,
    },
    holdSecrets(held: boolean): void {
      hold = held;
    },
    /** Resolves when a request is held. */
    held: () => until(() => holding.size > 0, { what: "a request of Secrets Manager" }),
    async close() {
      client.close();
      for (const part of [front, secrets, memoryTable]) await part.close();
    },
  };
}

function statusOf(outcome: Outcome): unknown {
  return "payload" in outcome ? (JSON.parse(outcome.payload) as { readonly statusCode: number }).statusCode : outcome.error;
}

/** What the HTTP API makes of a ping of GitHub. */
function ping(): object {
  const body = JSON.stringify({ zen: "Keep it logically awesome.", hook_id: 1 });
  return {
    version: "2.0",
    rawPath: "/webhook",
    rawQueryString: "",
    headers: {
      ...signedHeaders({ body, secret, id: randomUUID(), event: "ping" }),
      "content-length": String(body.length),
    },
    requestContext: { http: { method: "POST", path: "/webhook", sourceIp: "192.0.2.1" } },
    body,
    isBase64Encoded: false,
  };
}

describe("Lambda's runtime interface with a packaged function", { skip }, () => {
  const boots: Boots[] = [];
  const table = "driftless-prod";
  let functions: ReadonlyMap<string, PackagedFunction>;
  let services: Awaited<ReturnType<typeof startServices>>;
  const workers: Worker[] = [];

  before(async () => {
    services = await startServices(table);
    functions = packagedFunctions(await packagedService(), {
      Table: table,
      RevisionQueue: "http://127.0.0.1:9/revisions.fifo",
      WebhookSecret: "webhook",
      SnapshotKey: "snapshot-key",
    });
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await services?.close();
  });

  /** Lambda with one function, some of which is changed. */
  const lambdaOf = (shortName: string, changes: Partial<PackagedFunction> = {}) => {
    assert.ok("program" in client);
    const functionName = `driftless-prod-${shortName}`;
    const packaged = functions.get(functionName);
    assert.ok(packaged !== undefined, functionName);
    const { timeoutSeconds } = { ...packaged, ...changes };
    const options = { client: client.program, functions: new Map([[functionName, { ...packaged, ...changes }]]) };
    const worker = packagedWorker(
      options,
      boots,
    )({
      environment: services.environment,
      log: silentLog,
      clock,
      onLine: () => undefined,
    });
    workers.push(worker);
    return {
      kill: () => worker.kill(),
      invoke: (payload: object): Promise<Outcome> => {
        const id = randomUUID();
        const module = packaged.folder;
        return worker.run({
          id,
          module,
          functionName,
          functionArn: functionArn(functionName),
          timeoutSeconds,
          payload: JSON.stringify(payload),
        });
      },
    };
  };

  test("a process answers one invocation after another", async () => {
    const { invoke } = lambdaOf("webhook");
    const before = boots.length;
    assert.deepEqual([statusOf(await invoke(ping())), statusOf(await invoke(ping()))], [200, 200]);
    assert.equal(boots.length, before + 1);
  });

  test("an invocation that takes too long is killed, and the next one boots again", async () => {
    const { invoke } = lambdaOf("webhook", { timeoutSeconds: 2 });
    const before = boots.length;
    services.holdSecrets(true);
    const late = await invoke(ping());
    services.holdSecrets(false);
    assert.ok("error" in late);
    assert.equal(late.error.errorType, "Sandbox.Timedout");
    assert.match(late.error.errorMessage, /^RequestId: \S+ Error: Task timed out after 2\.00 seconds$/);
    assert.equal(statusOf(await invoke(ping())), 200);
    const [first, second, ...more] = boots.slice(before);
    assert.deepEqual(more, []);
    assert.notEqual(first?.pid, second?.pid);
    assert.throws(() => process.kill(first?.pid ?? 0, 0), { code: "ESRCH" });
  });

  test("a process that ends in an invocation fails it, and the next one boots again", async () => {
    const { invoke, kill } = lambdaOf("webhook");
    services.holdSecrets(true);
    const outcome = invoke(ping());
    await services.held();
    kill();
    const ended = await outcome;
    services.holdSecrets(false);
    assert.ok("error" in ended);
    assert.equal(ended.error.errorType, "Runtime.ExitError");
    assert.match(ended.error.errorMessage, /^RequestId: \S+ Error: Runtime exited with error: signal: SIGKILL$/);
    assert.equal(statusOf(await invoke(ping())), 200);
  });

  for (const name of ["webhook", "plan", "sync", "sweep", "shard", "audit", "preview", "api"]) {
    test(`${name} without its variables does not start, and says which one it misses, and where`, async () => {
      const { invoke } = lambdaOf(name, { variables: {} });
      const outcome = await invoke({});
      assert.ok("error" in outcome);
      assert.equal(outcome.error.errorType, "DriftlessError");
      assert.match(outcome.error.errorMessage, /^DRIFTLESS_[A-Z_]+ is not set: set it to /);
      // By the source map: the bundle has no such names.
      const sources = outcome.error.trace?.filter((line) => /lib\/config\/environment\.ts:\d+:\d+/.test(line)) ?? [];
      assert.ok(sources.length > 0, outcome.error.trace?.join("\n"));
    });
  }
});
