import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type LoopbackServer, startLoopback } from "../../cli/local/loopback.ts";
import type { DriftRow } from "../../lib/model/drift.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import { type ApiDeps, createApi } from "../../lib/sync/api/api.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aRow } from "../contracts/rows.ts";
import { createMemoryTable } from "../support/memory-table.ts";
import { runDriftless } from "./run.ts";

const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
const ada = { user: "ada", sourceIp: "192.0.2.7", userAgent: "kubectl", at: "2025-03-01T11:58:00.000Z" };

describe("driftless drift", () => {
  let server: LoopbackServer;
  let stores: Stores;
  let requests: URL[] = [];

  before(async () => {
    const client = createMemoryTable();
    await client.call("CreateTable", { TableName: "driftless" });
    stores = createDynamoStores({
      client,
      table: "driftless",
      clock,
      snapshotKey: new Secret(randomBytes(32).toString("base64")),
    });
    const api = createApi({ stores, clock } as unknown as ApiDeps);
    server = await startLoopback(async (request, response) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      requests.push(url);
      const answer = await api({ method: "GET", path: url.pathname, query: Object.fromEntries(url.searchParams) });
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
    });
    const service = { group: "", version: "v1", kind: "Service", namespace: "shop", name: "web" };
    const {
      desired: _d,
      live: _l,
      ...whole
    } = aRow({ kind: "missing", field: "", manager: "", changedAt: "", firstSeen: hoursAgo(2) });
    const healed = aRow({ field: "spec.paused", desired: false, live: true, firstSeen: hoursAgo(6) });
    const early = aRow({ field: "metadata.labels.early", firstSeen: hoursAgo(60) });
    const fight = { managers: ["driftless", "hpa"], reverts: 4 };
    for (const row of [
      aRow({ firstSeen: hoursAgo(1), by: { ...ada, breakGlass: true } }),
      whole,
      aRow({
        application: "api",
        cluster: "us",
        field: "spec.ports",
        live: ["x".repeat(60)],
        desired: "a b",
        ref: service,
        manager: "hpa",
        firstSeen: hoursAgo(3),
        fight,
      }),
      healed,
      early,
      aRow({
        kind: "prevented",
        application: "api",
        manager: "kubectl-edit",
        by: ada,
        firstSeen: hoursAgo(5),
        healedAt: hoursAgo(5),
      }),
    ])
      await stores.drift.record(row);
    await stores.drift.heal([healed], { at: hoursAgo(4), by: "run-9" });
    await stores.drift.heal([early], { at: hoursAgo(48), by: "" });
  });
  after(() => server.close());

  async function driftless(...args: readonly string[]) {
    requests = [];
    return runDriftless(["drift", ...args], { environment: { DRIFTLESS_API: server.url } });
  }
  async function lines(...args: readonly string[]): Promise<readonly (readonly string[])[]> {
    const { status, stdout, stderr } = await driftless(...args);
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
  }
  const fieldsOf = (all: readonly (readonly string[])[]) => all.slice(1).map((cells) => cells[3]);
  const time = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g;

  test("a line a field: object, was and is, who and when, and how it stands", async () => {
    const table = (await lines()).map((cells) => cells.map((cell) => cell.replace(time, "TIME")));
    assert.deepEqual(table, [
      ["APPLICATION", "OBJECT", "KIND", "FIELD", "WAS -> IS", "WHO", "WHEN", "STATE"],
      ["shop", "Deployment shop/web", "changed", "spec.replicas", "3 -> 5", "ada (break-glass)", "TIME", "open"],
      ["shop", "Deployment shop/web", "missing", "-", "-", "-", "-", "open"],
      [
        "api",
        "Service shop/web",
        "changed",
        "spec.ports",
        `a b -> ["${"x".repeat(35)}...`,
        "hpa",
        "TIME",
        "open: fight of driftless and hpa, 4 reverts within an hour",
      ],
      [
        "shop",
        "Deployment shop/web",
        "changed",
        "spec.paused",
        "false -> true",
        "kubectl-scale",
        "TIME",
        "healed TIME by sync run-9",
      ],
      ["api", "Deployment shop/web", "prevented", "spec.replicas", "3 -> 5", "ada", "TIME", "refused TIME"],
    ]);
  });

  const narrowed: readonly (readonly [args: readonly string[], fields: readonly string[]])[] = [
    [
      ["--since", "72h"],
      ["spec.replicas", "-", "spec.ports", "spec.paused", "spec.replicas", "metadata.labels.early"],
    ],
    [["--open"], ["spec.replicas", "-", "spec.ports"]],
    [
      ["shop", "--open"],
      ["spec.replicas", "-"],
    ],
    [["--manager", "kubectl-edit"], ["spec.replicas"]],
    [["--cluster", "us"], ["spec.ports"]],
    [["--namespace", "shop", "--kind", "Service"], ["spec.ports"]],
    [
      ["--kind", "apps/deployment", "--open"],
      ["spec.replicas", "-"],
    ],
    [["--cluster", "moon"], []],
  ];
  for (const [args, fields] of narrowed) {
    test(`driftless drift ${args.join(" ")} shows just those`, async () => {
      const table = await lines(...args);
      if (fields.length === 0) assert.deepEqual(table, [["no drift"]]);
      else assert.deepEqual(fieldsOf(table), fields);
    });
  }

  test("all pages are shown, also as JSON", async () => {
    const rows = Array.from({ length: 620 }, (_, at) => aRow({ application: "many", field: `f${at}`, firstSeen: hoursAgo(1) }));
    await Promise.all(rows.map((row) => stores.drift.record(row)));
    const { status, stdout, stderr } = await driftless("many", "--output", "json");
    assert.deepEqual([status, stderr, requests.length], [0, "", 2]);
    const listed = (JSON.parse(stdout) as readonly DriftRow[]).map(({ field }) => field);
    assert.deepEqual(listed.toSorted(), rows.map(({ field }) => field).toSorted());
  });

  const wrong: readonly (readonly [args: readonly string[], status: number, error: RegExp])[] = [
    [["--since", "yesterday"], 2, /--since is a duration such as 30m or 24h, not yesterday/],
    [["--manager", ""], 2, /--manager is empty: say which, or leave it out/],
    [["--kind", "apps/v1/Deployment"], 1, /kind must be one such as Deployment or apps\/Deployment, not apps\/v1\/Deployment/],
    [["--output", "yaml"], 2, /--output is table or json, not yaml/],
    [["--managed", "x"], 2, /--managed/],
  ];
  for (const [args, status, error] of wrong) {
    test(`driftless drift ${args.join(" ")} fails, and says what it should be`, async () => {
      const ended = await driftless(...args);
      assert.equal(ended.status, status);
      assert.match(ended.stderr, error);
      assert.equal(ended.stdout, "");
    });
  }
});
