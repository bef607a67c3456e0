import assert from "node:assert/strict";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { startAudit } from "../../../cli/local/audit.ts";
import { readLogPayload } from "../../../lib/audit/log-payload.ts";
import { type LogEvent, unpackLogEvent } from "../../../lib/sync/audit/unpack.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { anEvent } from "../../audit/events.ts";
import { until } from "../../control-plane/until.ts";

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}

async function listening(t: TestContext, call: (event: LogEvent) => Promise<void>) {
  const port = await freePort();
  const invoke = async (_name: string, event: unknown) => {
    await call(event as LogEvent);
    return { payload: null };
  };
  const audit = await startAudit({ port, clusterName: "admin", functionName: "audit", invoke, log: silentLog });
  t.after(() => audit.close());
  return (body: string) => fetch(`http://127.0.0.1:${port}/audit`, { method: "POST", body });
}

const listOf = (...items: readonly unknown[]): string =>
  JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });

test("what an API server posts reaches the function as CloudWatch Logs would bring it", async (t) => {
  const events: LogEvent[] = [];
  const post = await listening(t, async (event) => void events.push(event));
  assert.equal((await post(listOf(anEvent(), anEvent({ auditID: "second" })))).status, 200);
  await until(() => events.length === 1, { what: "the function to be called" });
  const { clusterName, edits } = readLogPayload((await unpackLogEvent(events[0]!)) ?? "", []);
  assert.deepEqual([clusterName, edits.map(({ id }) => id)], ["admin", ["5f0d6a1e-7c1a-4c55-9c5e-0f2f0d3f7a11", "second"]]);
});

test("what is no list of events is taken, and nobody is called for it", async (t) => {
  let calls = 0;
  const post = await listening(t, async () => void calls++);
  for (const body of ["", "{", "[]", listOf()]) assert.equal((await post(body)).status, 200);
  assert.equal((await post(listOf(anEvent()))).status, 200);
  await until(() => calls > 0, { what: "the function to be called" });
  assert.equal(calls, 1);
});

test("the API server is answered at once, five batches run beside each other, and the others wait", async (t) => {
  const ends: (() => void)[] = [];
  let begun = 0;
  const post = await listening(t, () => {
    begun++;
    return new Promise((resolve) => ends.push(resolve));
  });
  for (let batch = 0; batch < 7; batch++) assert.equal((await post(listOf(anEvent()))).status, 200);
  await until(() => begun === 5, { what: "five batches to run" });
  for (const end of ends.splice(0)) end();
  await until(() => begun === 7, { what: "the others to run" });
  for (const end of ends) end();
});

test("a function that fails does not stop the ones after it", async (t) => {
  let calls = 0;
  const post = await listening(t, () => {
    calls++;
    return Promise.reject(new Error("no"));
  });
  for (let batch = 0; batch < 7; batch++) await post(listOf(anEvent()));
  await until(() => calls === 7, { what: "all batches to be tried" });
});
