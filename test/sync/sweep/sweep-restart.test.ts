import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ApplicationState, SyncBatch, SyncRecord } from "../../../lib/model/sync.ts";
import type { Lease } from "../../../lib/store/store.ts";
import { createRestartLost } from "../../../lib/sync/sweep/sweep-restart.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { anApplication, aState, aSync } from "../../contracts/rows.ts";

const now = "2025-03-01T12:00:00.000Z";
const desired = { generation: 3, revision: "ccc", snapshot: "s-c", plannedAt: "2025-03-01T11:00:00.000Z" };

function ended(change: Partial<SyncRecord> = {}): SyncRecord {
  return aSync({ phase: "Succeeded", generation: 3, finishedAt: "2025-03-01T11:00:05.000Z", ...change });
}

function anOwner(application: string, change: Partial<ApplicationState> = {}): ApplicationState {
  return aState({ application, definition: anApplication({ name: application }), desired, lastSync: ended(), ...change });
}

const keeping = (...keptFor: readonly string[]) => anOwner("shop", { lastSync: ended({ keptFor }) });

/** Runs that a sweep of these states starts, as `TRIGGER APPLICATION ...`, and whose leases it read. */
async function sweep(states: readonly ApplicationState[], held: readonly string[] = []) {
  const started: string[] = [];
  const asked: string[] = [];
  const start = (batch: SyncBatch): Promise<void> => {
    started.push([batch.trigger, ...batch.applications.map(({ name }) => name)].join(" "));
    return Promise.resolve();
  };
  const get = (application: string): Promise<Lease | undefined> => {
    asked.push(application);
    const expiresAt = "2025-03-01T12:01:00.000Z";
    const lease = { application, holder: "run", fence: 1, generation: 3, phase: "applying", expiresAt } as unknown as Lease;
    return Promise.resolve(held.includes(application) ? lease : undefined);
  };
  const restart = createRestartLost({
    stores: { leases: { get } as never },
    starter: { start },
    clock: { now: () => new Date(now) },
    log: silentLog,
  });
  const restarted = await restart({ id: "sweep-1", states }, {});
  return { started, asked, restarted };
}

describe("a prune that kept objects for others", () => {
  const waits = { revision: "ddd", snapshot: "s-d", plannedAt: "", reason: "waits" };
  const broken = { planError: "no kind" };
  const cases: readonly (readonly [string, readonly ApplicationState[], readonly string[]])[] = [
    ["goes on, without hooks, once the other is rendered and synced", [keeping("billing"), anOwner("billing")], ["heal shop"]],
    ["goes on once the other is gone", [keeping("billing")], ["heal shop"]],
    ["waits while the other cannot be rendered", [keeping("billing"), anOwner("billing", broken)], []],
    ["waits while the other waits for leave", [keeping("billing"), anOwner("billing", { pending: waits })], []],
    [
      "waits while the other is refused by the project of both",
      [keeping("billing"), anOwner("billing", { ...broken, refused: true })],
      [],
    ],
    [
      "goes on once the other is refused by a project of its own",
      [
        keeping("billing"),
        anOwner("billing", { ...broken, refused: true, definition: anApplication({ name: "billing", project: "a" }) }),
      ],
      ["heal shop"],
    ],
    ["waits for all of them", [keeping("billing", "crm"), anOwner("billing"), anOwner("crm", broken)], []],
    [
      "is not that of a newer state, which has its own run",
      [anOwner("shop", { desired: { ...desired, generation: 4 }, lastSync: ended({ keptFor: ["billing"] }) })],
      ["sweep shop"],
    ],
    [
      "waits while the application is suspended",
      [{ ...keeping("billing"), suspended: { owner: "ada", reason: "freeze", until: "" } }],
      [],
    ],
  ];
  for (const [title, states, expected] of cases) {
    test(title, async () => {
      const { started, restarted } = await sweep(states);
      assert.deepEqual([started, restarted], [expected, expected.length === 0 ? [] : ["shop"]]);
    });
  }

  test("is not started while a run has the application", async () => {
    assert.deepEqual((await sweep([keeping("billing")], ["shop"])).started, []);
  });

  test("costs no read for an application that kept nothing, or keeps on", async () => {
    const states = [anOwner("billing", broken), anOwner("crm"), keeping("billing")];
    assert.deepEqual((await sweep(states)).asked, []);
  });
});
