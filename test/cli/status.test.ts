import assert from "node:assert/strict";
import { test } from "node:test";
import { sendJson, startLoopback } from "../../cli/local/loopback.ts";
import { runDriftless } from "./run.ts";

test("status says which cluster's sweep is late, and how long ago the last one was", async () => {
  const sweeps = [
    { cluster: "eu", at: "2025-03-01T11:43:00.000Z", ageSeconds: 1020, late: true },
    { cluster: "us", at: "2025-03-01T11:59:00.000Z", ageSeconds: 60, late: false },
  ];
  assert.equal(await statusOf({ sweeps }), "eu: last sweep 17m ago, late\n\nno applications yet\n");
});

test("status says in which cluster drift is not prevented though it should be, and why", async () => {
  const preventionProblems = [{ cluster: "eu", problem: "the API server is older than 1.30" }];
  assert.equal(
    await statusOf({ preventionProblems, sweeps: [] }),
    "eu: drift is not prevented: the API server is older than 1.30\n\nno applications yet\n",
  );
});

async function statusOf(overview: object): Promise<string> {
  const server = await startLoopback((_, response) =>
    Promise.resolve(sendJson(response, 200, { items: [], configurationProblem: "", ...overview })),
  );
  try {
    const { stdout } = await runDriftless(["status"], { environment: { DRIFTLESS_API: `${server.url}/api` } });
    return stdout;
  } finally {
    await server.close();
  }
}
