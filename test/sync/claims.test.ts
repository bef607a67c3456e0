import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { createTable } from "../../cli/local/table.ts";
import type { GitSource } from "../../lib/model/application-source.ts";
import type { Project } from "../../lib/model/project.ts";
import type { ApplicationState } from "../../lib/model/sync.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import { type Claims, isSettled, type Leaving, readClaims } from "../../lib/sync/claims.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aProject } from "../cluster/tenancy.ts";
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

const aConfiguration = { clusters: [], applications: [], healthCheckExprs: [], remoteBases: [], repositories: [] };

const broken = { planError: "billing/web.yaml:3: no kind", plannedRevision: "bbb" };
const reading = (name: string, ...sources: readonly Partial<GitSource>[]) =>
  anApplication({ name, sources: sources.map((source) => ({ ...fleet, path: name, ...source })) });

/** The settings that left `shop`. */
const leaving = (namespace = "shop"): Leaving => ({
  application: "shop",
  ref: { group: "", version: "v1", kind: "ConfigMap", namespace, name: "settings" },
});

async function claimsOf(states: readonly ApplicationState[], projects: readonly Project[] = []): Promise<Claims> {
  const client = createMemoryTable();
  const table = `claims-${randomUUID()}`;
  await createTable({ client, table });
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const stores = createDynamoStores({ client, table, clock: systemClock, snapshotKey });
  const snapshot = await stores.snapshots.save([JSON.parse(text)]);
  await stores.configuration.save({ configuration: { ...aConfiguration, projects }, revision: "aaa", oid: "o1", number: 1 });
  for (const state of states) {
    const { pending, desired } = state;
    const wanted = desired?.snapshot === "wanted" ? { desired: { ...desired, snapshot } } : {};
    await stores.applications.put({
      ...state,
      ...wanted,
      ...(pending === undefined ? {} : { pending: { ...pending, snapshot } }),
    });
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
      assert.deepEqual((await claimsOf(states)).unrendered(leaving()), names);
    });
  }

  test("an object that waits for leave is claimed in the namespace that comes with it", async () => {
    const definition = { ...reading("billing", {}), namespace: "next" };
    const waits = { revision: "bbb", snapshot: "", plannedAt: "", reason: "waits for approval" };
    const claims = await claimsOf([anOwner("billing", { pending: { ...waits, definition } })]);
    assert.deepEqual([claims.pending(leaving("next")), claims.pending(leaving("shop"))], [["billing"], []]);
    const unchanged = await claimsOf([anOwner("billing", { pending: waits })]);
    assert.deepEqual(unchanged.pending(leaving("shop")), ["billing"]);
  });
});

describe("what another project claims", () => {
  const projects = [aProject("a", ["shop", "next"]), aProject("b", ["shop"])];
  const inProject = (project: string, state: ApplicationState): ApplicationState => ({
    ...state,
    definition: { ...state.definition, project },
    ...(state.pending?.definition === undefined
      ? {}
      : { pending: { ...state.pending, definition: { ...state.pending.definition, project } } }),
  });
  const of = (project: string, change: Partial<ApplicationState>) => inProject(project, anOwner("billing", change));
  const refused = { ...broken, refused: true } as const;
  const wants = { desired: { ...synced, generation: 2, snapshot: "wanted" } };
  const pending = { revision: "bbb", snapshot: "", plannedAt: "", reason: "waits for approval" };
  const claimed = async (billing: ApplicationState, namespace = "shop") => {
    const definition = { ...billing.definition, namespace };
    const claims = await claimsOf([inProject("b", anOwner("shop")), { ...billing, definition }], projects);
    const left = leaving(namespace);
    return [...claims.unrendered(left), ...claims.wanting(left), ...claims.pending(left)];
  };

  test("holds nothing back while its project refuses it; within a project it goes on counting", async () => {
    assert.deepEqual(await claimed(of("a", refused)), []);
    assert.deepEqual(await claimed(of("a", { ...refused, ...wants })), []);
    assert.deepEqual(await claimed(of("a", { ...refused, pending })), []);
    assert.deepEqual(await claimed(of("b", refused)), ["billing"]);
  });

  test("counts where its project allows the object, and nowhere else", async () => {
    for (const change of [broken, wants, { pending }]) {
      assert.deepEqual(await claimed(of("a", change)), ["billing"]);
      assert.deepEqual(await claimed(of("a", change), "kube-system"), []);
      assert.deepEqual(await claimed(of("nobody", change)), []);
    }
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
