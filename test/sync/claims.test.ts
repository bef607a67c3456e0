import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { createTable } from "../../cli/local/table.ts";
import type { GitSource } from "../../lib/model/application-source.ts";
import { resourceKey } from "../../lib/model/resource.ts";
import type { ApplicationState } from "../../lib/model/sync.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import { type Claims, isSettled, readClaims } from "../../lib/sync/claims.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { anApplication, aState, aSync } from "../contracts/rows.ts";
import { openApi } from "../engine/installation.ts";
import { createMemoryTable } from "../support/memory-table.ts";

const fleet: GitSource = { kind: "git", repository: "https://git.example/fleet.git", targetRevision: "main", path: "shop" };
const synced = { generation: 1, revision: "aaa", snapshot: "", plannedAt: "" };
const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"}}';

/** An application of the fleet that is synced, in a folder of its name. */
function anOwner(application: string, change: Partial<ApplicationState> = {}): ApplicationState {
  const definition = anApplication({ name: application, sources: [{ ...fleet, path: application }] });
  return aState({ application, definition, desired: synced, lastSync: aSync({ generation: 1, phase: "Succeeded" }), ...change });
}

const broken = { planError: "billing/web.yaml:3: no kind", plannedRevision: "bbb" };
const reading = (name: string, ...sources: readonly Partial<GitSource>[]) =>
  anApplication({ name, sources: sources.map((source) => ({ ...fleet, path: name, ...source })) });

async function claimsOf(states: readonly ApplicationState[], objects = text): Promise<Claims> {
  const client = createMemoryTable();
  const table = `claims-${randomUUID()}`;
  await createTable({ client, table });
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const stores = createDynamoStores({ client, table, clock: systemClock, snapshotKey });
  const snapshot = await stores.snapshots.save([JSON.parse(objects)]);
  for (const state of states) {
    const { pending } = state;
    await stores.applications.put({ ...state, ...(pending === undefined ? {} : { pending: { ...pending, snapshot } }) });
  }
  const { outside: reader } = await openApi();
  return readClaims({ stores }, { cluster: "eu", reader, leavers: ["shop"] });
}

describe("who may want what leaves an application", () => {
  const cases: readonly (readonly [string, ApplicationState, readonly string[]])[] = [
    ["one of the same branch whose newest commit cannot be rendered", anOwner("billing", broken), ["billing"]],
    ["one that was never rendered", withoutDesired(anOwner("billing", broken)), ["billing"]],
    [
      "one that came back into the configuration, and cannot be rendered",
      anOwner("billing", { ...broken, removed: true }),
      ["billing"],
    ],
    [
      "one that reads the branch beside others",
      anOwner("billing", { ...broken, definition: reading("billing", { repository: "https://git.example/other.git" }, {}) }),
      ["billing"],
    ],
    [
      "one that reads the same commit, whatever its row says of its sources",
      anOwner("billing", { planError: "no", plannedRevision: "aaa", definition: reading("billing", { targetRevision: "next" }) }),
      ["billing"],
    ],
    ["the application itself", anOwner("shop", broken), ["shop"]],
    ["not one that is rendered", anOwner("billing"), []],
    ["not one that left the configuration", anOwner("billing", { removed: true }), []],
    [
      "not one of another repository",
      anOwner("billing", { ...broken, definition: reading("billing", { repository: "https://git.example/other.git" }) }),
      [],
    ],
    [
      "not one of another branch",
      anOwner("billing", { ...broken, definition: reading("billing", { targetRevision: "next" }) }),
      [],
    ],
    [
      "not one of another cluster",
      anOwner("billing", { ...broken, definition: { ...reading("billing", {}), cluster: "us" } }),
      [],
    ],
  ];
  for (const [title, other, names] of cases) {
    test(title, async () => {
      const states = other.application === "shop" ? [other] : [anOwner("shop"), other];
      assert.deepEqual((await claimsOf(states)).unrendered("shop"), names);
    });
  }

  test("an object that waits for leave is claimed in the namespace that comes with it", async () => {
    const key = (namespace: string) => resourceKey({ group: "", version: "v1", kind: "ConfigMap", namespace, name: "settings" });
    const definition = { ...reading("billing", {}), namespace: "next" };
    const waits = { revision: "bbb", snapshot: "", plannedAt: "", reason: "waits for approval" };
    const claims = await claimsOf([anOwner("billing", { pending: { ...waits, definition } })]);
    assert.deepEqual([claims.pending(key("next")), claims.pending(key("shop"))], [["billing"], []]);
    const unchanged = await claimsOf([anOwner("billing", { pending: waits })]);
    assert.deepEqual(unchanged.pending(key("shop")), ["billing"]);
  });
});

describe("an application is settled", () => {
  const waits = { revision: "bbb", snapshot: "s", plannedAt: "", reason: "waits for approval" };
  const desired = { ...synced, generation: 2, snapshot: "s" };
  const cases: readonly (readonly [string, ApplicationState, boolean])[] = [
    ["once it is synced", anOwner("billing"), true],
    ["once it left the configuration", anOwner("billing", { removed: true }), true],
    ["not while its newest commit cannot be rendered", anOwner("billing", broken), false],
    ["not while a state waits for leave", anOwner("billing", { pending: waits }), false],
    ["not before its newest state had its run", anOwner("billing", { desired }), false],
    ["not when that run failed", anOwner("billing", { desired, lastSync: aSync({ generation: 2, phase: "Failed" }) }), false],
    ["not when it came back and cannot be rendered", anOwner("billing", { ...broken, removed: true }), false],
  ];
  for (const [title, state, expected] of cases) test(title, () => assert.equal(isSettled(state), expected));
});

function withoutDesired({ desired: _never, lastSync: _none, ...state }: ApplicationState): ApplicationState {
  return state;
}
