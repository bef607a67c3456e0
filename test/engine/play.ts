import assert from "node:assert/strict";
import { isDriftlessError } from "../../lib/errors.ts";
import { applicationLabel, type Manifest } from "../../lib/model/resource.ts";
import type { ApplicationState, SyncBatch } from "../../lib/model/sync.ts";
import { batchesOf } from "../../lib/sync/runs.ts";
import { createRestartLost } from "../../lib/sync/sweep/sweep-restart.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { aClock, createExecution, type Execution } from "./execution.ts";
import { createFleet, fleetUrl } from "./fleet.ts";
import {
  type ApplicationKey,
  applicationKeys,
  applicationName,
  type Commit,
  filesOf,
  type Names,
  type ObjectKey,
  objectKeys,
  objectName,
  statedBy,
  type Way,
} from "./history.ts";
import { type Api, openInstallation } from "./installation.ts";
import { createPlanner } from "./planner.ts";
import { createWorker } from "./worker.ts";

/** How often the queue gives a message before it is a dead letter, and once more, when the sweep has queued its branch again. */
const mostTries = 2 * 10;

/** What one history came to. */
export interface Played {
  /** Deletes that reached the API server. */
  readonly deletes: number;
  readonly runs: number;
}

/** A run that waits for a later commit's runs to be over. */
interface Held {
  readonly release: () => void;
  readonly over: Promise<unknown>;
}

/** Plays a history from the first push to the end, and throws at the first delete of a declared object. */
export async function play(
  history: readonly Commit[],
  { api, names }: { readonly api: Api; readonly names: Names },
): Promise<Played> {
  const clock = aClock();
  const fleet = createFleet();
  const wrong: string[] = [];
  const desired = new Map<ApplicationKey, ReadonlySet<ObjectKey>>();
  let head: Commit | undefined;
  let deletes = 0;
  let runs = 0;
  let held: Held[] = [];

  const installation = await openInstallation({
    api,
    clock,
    sharesDiscovery: true,
    fault({ method, path }) {
      if (method !== "DELETE") return undefined;
      if (head?.denies === true) return forbidden;
      deletes += 1;
      const object = objectKeys.find((key) => path.endsWith(`/${objectName(names, key)}`));
      const by = object === undefined ? "nobody knows" : declaredBy(object);
      if (by !== "") wrong.push(`deleted ${object ?? path}, which is declared by ${by}`);
      return undefined;
    },
  });
  const { stores } = installation;
  const planner = createPlanner(installation, fleet);

  /** Who has the object at this moment: by its folder at the head, and, where that cannot be rendered, by what it rendered last too. */
  function declaredBy(object: ObjectKey): string {
    return applicationKeys.filter((key) => desired.get(key)?.has(object)).join(" and ");
  }

  async function push(commit: Commit, number: number): Promise<void> {
    clock.advance(1);
    fleet.push(filesOf(commit, names));
    head = commit;
    const message = { repository: fleetUrl, branch: "main", correlationId: `${names.prefix}-${number}`, after: "" };
    for (let attempt = 1; ; attempt++) {
      const diesAt = attempt === 1 ? commit.planDiesAt : 0;
      const worker = createWorker(({ number: call }) => (call === diesAt ? "before" : undefined));
      try {
        if ((await worker.run(() => planner.planOn(worker)(message))) === "ended") break;
      } catch (error) {
        if (!isDriftlessError(error) || !error.retryable || attempt >= mostTries) throw error;
        const { retryAfterSeconds } = error.facts;
        if (typeof retryAfterSeconds === "number") clock.advance(retryAfterSeconds);
      }
    }
    const stated = statedBy(commit);
    for (const key of applicationKeys) {
      const app = commit.applications[key];
      const objects = new Set(objectKeys.filter((object) => stated.get(object) === key));
      const fails =
        app !== undefined && (app.fault === "render" || app.fault === "source" || (objects.size === 0 && !app.allowEmpty));
      desired.set(key, fails ? new Set([...(desired.get(key) ?? []), ...objects]) : objects);
    }
  }

  /** Starts a run and resolves once it is over, or held. */
  async function start(batch: SyncBatch, way: Way): Promise<void> {
    runs += 1;
    const id = `${names.prefix}-run-${runs}`;
    const gate = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    let step = 0;
    const beforeStep = (): Promise<void> | undefined => {
      step += 1;
      if (way.kind !== "stale" || step !== way.step) return undefined;
      stopped.resolve();
      return gate.promise;
    };
    const execution = createExecution({ id, clock, beforeStep });
    if (way.kind === "late") stopped.resolve();
    const over = way.kind === "late" ? gate.promise.then(() => workOn(batch, execution, way)) : workOn(batch, execution, way);
    const end = await Promise.race([stopped.promise.then(() => "held"), over.then(() => "over")]);
    if (end === "held") held.push({ release: gate.resolve, over });
  }

  async function workOn(batch: SyncBatch, execution: Execution, way: Way): Promise<void> {
    if (way.kind === "killed") {
      const worker = createWorker(({ number }) => (number === way.at ? way.when : undefined));
      if ((await installation.work(batch, execution, worker)) === "ended") return;
    }
    await installation.work(batch, execution);
  }

  async function startAll(commit: Commit): Promise<void> {
    const before = held;
    held = [];
    const batches = planner.started().flatMap((batch) => {
      return commit.splits ? batch.applications.map((application) => ({ ...batch, applications: [application] })) : [batch];
    });
    await Promise.all(batches.map((batch, at) => start(batch, commit.ways[at] ?? { kind: "straight" })));
    for (const { release, over } of before) {
      release();
      await over;
    }
  }

  for (const [number, commit] of history.entries()) {
    await push(commit, number);
    await startAll(commit);
    assert.deepEqual(wrong, [], `commit ${number}`);
  }
  await settle();
  assert.deepEqual(wrong, [], "at the end");
  await assertConverged();
  // What prune: false kept, and another application has by now, leaves the inventory with the next sync.
  await startEach(await stores.applications.list(), "again");
  assert.deepEqual(wrong, [], "once more");
  await assertConverged();
  await assertInventories();
  return { deletes, runs };

  /** What the sweep does, without a push: runs that did not succeed, and prunes that kept objects for others, are started again. */
  async function settle(): Promise<void> {
    for (const { release, over } of held.splice(0)) {
      release();
      await over;
    }
    for (let round = 1; round <= 6; round++) {
      clock.advance(60);
      const states = await stores.applications.list();
      const failed = states.filter(({ desired: wanted, lastSync }) => {
        return wanted !== undefined && (lastSync?.generation !== wanted.generation || lastSync.phase !== "Succeeded");
      });
      const freed: SyncBatch[] = [];
      const starter = { start: (batch: SyncBatch) => Promise.resolve(void freed.push(batch)) };
      const restart = createRestartLost({ stores, starter, clock, log: silentLog });
      await restart({ id: `sweep-${round}`, states: states.filter((state) => !failed.includes(state)) }, {});
      if (freed.length + failed.length === 0) return;
      for (const batch of freed) await start(batch, { kind: "straight" });
      await startEach(failed, `sweep-${round}`);
    }
  }

  async function startEach(states: readonly ApplicationState[], correlationId: string): Promise<void> {
    for (const batch of batchesOf(states, { trigger: "sweep", correlationId })) await start(batch, { kind: "straight" });
  }

  function listed(): Promise<readonly Manifest[]> {
    const keys = applicationKeys.map((key) => applicationName(names, key));
    const type = { group: "", version: "v1", kind: "ConfigMap" };
    const labelSelector = `${applicationLabel} in (${keys.join(",")})`;
    return api.outside.list({ type, namespace: names.namespace, labelSelector });
  }

  async function assertConverged(): Promise<void> {
    const live = await listed();
    const stated = head === undefined ? new Map<ObjectKey, ApplicationKey>() : statedBy(head);
    for (const [object, owner] of stated) {
      const found = live.find(({ metadata }) => metadata.name === objectName(names, object));
      assert.equal(found?.metadata.labels?.[applicationLabel], applicationName(names, owner), `owner of ${object}`);
      assert.deepEqual(found?.["data"], { version: String(head?.objects[object].version) }, `content of ${object}`);
    }
    for (const { metadata } of live) {
      const object = objectKeys.find((key) => objectName(names, key) === metadata.name);
      if (object !== undefined && stated.has(object)) continue;
      const owner = metadata.labels?.[applicationLabel] ?? "";
      const state = await stores.applications.get(owner);
      const inventory = await stores.inventories.load(owner);
      assert.ok(
        inventory?.entries.some(({ ref }) => ref.name === metadata.name),
        `${metadata.name} is in no inventory`,
      );
      const said = [...(state?.lastSync?.notes ?? []), ...(state?.lastSync?.errors ?? [])];
      assert.ok(
        said.some((line) => line.includes(metadata.name)),
        `${metadata.name} stays, and nobody says so: ${said.join("; ")}`,
      );
      assert.equal(state?.definition.sync.prune, false, `${metadata.name} stays though it may be pruned: ${said.join("; ")}`);
    }
  }

  async function assertInventories(): Promise<void> {
    const live = await listed();
    for (const key of applicationKeys) {
      const application = applicationName(names, key);
      assert.equal(await stores.leases.get(application), undefined, `the lease of ${key}`);
      const inventory = await stores.inventories.load(application);
      const owned = live.filter(({ metadata }) => metadata.labels?.[applicationLabel] === application);
      assert.deepEqual(
        (inventory?.entries ?? []).map(({ ref, uid }) => `${ref.name} ${uid}`).sort(),
        owned.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort(),
        `the inventory of ${key}`,
      );
    }
  }
}

const forbidden = {
  status: 403,
  contentType: "application/json",
  body: JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    reason: "Forbidden",
    message: "deletes are refused",
    code: 403,
  }),
};
