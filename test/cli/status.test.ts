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

test("status says which team's file still gives what it gave before, and why", async () => {
  const file = { project: "shop", repository: "https://git.example/shop", targetRevision: "main", path: "apps.yaml" };
  const configurationProblems = [{ ...file, problem: "apps.yaml:3:5: first\napps.yaml:4:5: second" }];
  assert.equal(
    await statusOf({ configurationProblems }),
    "apps.yaml of https://git.example/shop (main, project shop) is NOT in force as it is; what it gave before still is:\n" +
      "  apps.yaml:3:5: first\n  apps.yaml:4:5: second\n\nno applications yet\n",
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
