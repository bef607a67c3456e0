import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mapConcurrently } from "../../../lib/cluster/concurrency.ts";
import type { AdditionsPolicy } from "../../../lib/model/application.ts";
import type { DriftRow, SweepReport } from "../../../lib/model/drift.ts";
import { type Manifest, refOf, resourceKey } from "../../../lib/model/resource.ts";
import type { SyncBatch, SyncRecord } from "../../../lib/model/sync.ts";
import { aName } from "../../apply/open.ts";
import { until } from "../../control-plane/until.ts";
import { anEngineApplication, desire } from "../../engine/desire.ts";
import { createExecution } from "../../engine/execution.ts";
import { type Api, openApi } from "../../engine/installation.ts";
import { sharedControlPlane, testNamespace } from "../../support/cluster.ts";
import { openSweeping, type Sweeping } from "../../sync/sweep/sweeping.ts";
import { aHand, type Hand, type HandOptions, type Mutation, type Told, told } from "./mutation.ts";
import { aWeb, theWidgetKind } from "./objects.ts";

/** An application with an object for each of its mutations. */
export interface Troupe {
  readonly application: string;
  readonly mutations: readonly Mutation[];
  readonly additions?: AdditionsPolicy;
}

/** What became of one object. */
export interface Seen {
  /** Open rows after the first sweep and after the second, sorted; between the two lies the heal. */
  readonly first: readonly Told[];
  readonly second: readonly Told[];
  /** All rows of it at the end. */
  readonly rows: readonly DriftRow[];
  /** As the sync left it, and as the heal did. */
  readonly synced: Manifest;
  readonly healed: Manifest;
}

/** All troupes synced, mutated, swept by one sweep, healed and swept again. */
export interface Stage {
  readonly seen: (application: string, mutation: Mutation) => Seen;
  readonly heal: (application: string) => SyncRecord;
  readonly reports: readonly [SweepReport, SweepReport];
  readonly close: () => Promise<void>;
}

interface Act {
  readonly mutation: Mutation;
  readonly place: HandOptions["place"];
  readonly object: Manifest;
}

type Live = ReadonlyMap<string, Manifest>;
const keyOf = (object: Manifest): string => resourceKey(refOf(object));
const ofObject =
  (object: Manifest) =>
  ({ ref }: DriftRow) =>
    resourceKey(ref) === keyOf(object);

export async function openStage(troupes: readonly Troupe[]): Promise<Stage> {
  const home = await mkdtemp(join(tmpdir(), "driftless-mutations-"));
  const api = await openApi();
  const { outside } = api;
  const controlPlane = await sharedControlPlane();
  const tools = { controlPlane, reader: outside, home };
  const namespace = await testNamespace("mutations");
  const widgets = await serveWidgets(api);
  const acts = new Map(
    troupes.map(({ application, mutations }) => [
      application,
      mutations.map((mutation, at): Act => {
        const place = { name: `${application}-${at}`, namespace, group: widgets.group };
        return { mutation, place, object: mutation.object(place) };
      }),
    ]),
  );
  const all = [...acts.values()].flat();
  const sweeping = await openSweeping(api);
  const { stores, clock, work } = sweeping.installation;

  /** In the time of the cluster. */
  async function run(batch: SyncBatch): Promise<void> {
    const sleep = async () => clock.advance(1);
    await work(batch, createExecution({ id: randomUUID(), clock, pause: 100, sleep, afterWait: lookAtAutoscalers }));
  }
  /** What the cluster's controller does within 15 seconds. */
  async function lookAtAutoscalers(): Promise<void> {
    const status = { conditions: [{ type: "AbleToScale", status: "True", reason: "SucceededGetScale" }] };
    for (const act of all.filter(({ object }) => object.kind === "HorizontalPodAutoscaler")) {
      const hand = await aHand({ ...tools, ...act });
      await hand.merge({ status }, { subresource: "status", userAgent: "kube-controller-manager/v1.35.0" });
    }
  }
  const live = async (): Promise<Live> => {
    const found = await mapConcurrently(all, { limit: 8, work: ({ object }) => outside.get(refOf(object)) });
    return new Map(found.flatMap((object) => (object === undefined ? [] : [[keyOf(object), object] as const])));
  };

  for (const { application, additions = "report" } of troupes) {
    const objects = (acts.get(application) ?? []).map(({ object }) => object);
    const idle = aWeb({ name: "idle", namespace, group: widgets.group });
    const definition = anEngineApplication(application, "", { additions });
    await run(await desire(stores, definition, application === troupes[0]?.application ? [idle, ...objects] : objects));
    const { lastSync } = (await stores.applications.get(application)) ?? {};
    assert.deepEqual([lastSync?.phase, lastSync?.errors], ["Succeeded", []]);
  }
  const synced = await live();
  await mapConcurrently(all, { limit: 6, work: async (act) => edit(act, await aHand({ ...tools, ...act })) });
  const first = await look(sweeping, troupes);
  for (const batch of sweeping.started()) await run(batch);
  const healed = await live();
  const second = await look(sweeping, troupes);
  const records = new Map(
    await Promise.all(
      troupes.map(async ({ application }) => [application, (await stores.applications.get(application))?.lastSync] as const),
    ),
  );
  const rows = await Promise.all(
    troupes.map(async ({ application }) => (await stores.drift.list({ application, limit: 1000 })).items),
  );

  return {
    reports: [first.report, second.report],
    heal: (application) => records.get(application) as SyncRecord,
    seen(application, mutation) {
      const { object } = (acts.get(application) ?? []).find((act) => act.mutation === mutation) as Act;
      const isOf = ofObject(object);
      const toldOf = (open: readonly DriftRow[]) =>
        open
          .filter(isOf)
          .map(told)
          .sort((a, b) => (`${a[0]} ${a[1]}` < `${b[0]} ${b[1]}` ? -1 : 1));
      return {
        first: toldOf(first.open),
        second: toldOf(second.open),
        rows: rows.flat().filter(isOf),
        synced: synced.get(keyOf(object)) as Manifest,
        healed: healed.get(keyOf(object)) as Manifest,
      };
    },
    async close() {
      const left = await live();
      for (const act of all) {
        const { metadata } = left.get(keyOf(act.object)) ?? act.object;
        const { uid = "", finalizers = [] } = metadata;
        if (uid !== "" && finalizers.length > 0) {
          const hand = await aHand({ ...tools, ...act });
          await hand.merge({ metadata: { finalizers: null } });
        }
        if (uid !== "" && metadata.namespace === undefined) await outside.delete(refOf(act.object), { uid });
      }
      await widgets.end();
      api.transport.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function edit({ mutation }: Act, hand: Hand): Promise<void> {
  try {
    await mutation.edit(hand);
  } catch (cause) {
    throw new Error(`the edit failed: ${mutation.title}`, { cause });
  }
}

/** A sweep, and the rows that stand open then. */
async function look(sweeping: Sweeping, troupes: readonly Troupe[]) {
  const report = await sweeping.sweep();
  const { drift } = sweeping.installation.stores;
  const open = await Promise.all(troupes.map(({ application }) => drift.open(application)));
  return { report, open: open.flat() };
}

async function serveWidgets({ outside }: Api) {
  const group = `${aName("t")}.driftless.example`;
  const definition = await outside.apply(theWidgetKind(group), { force: true });
  const type = { group, version: "v1", kind: "Widget" };
  await until(() => outside.resourceType(type, { fresh: true }), { what: "the new kind to be served" });
  return { group, end: () => outside.delete(refOf(definition), { uid: definition.metadata.uid ?? "" }) };
}
