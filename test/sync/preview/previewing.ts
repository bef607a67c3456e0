import assert from "node:assert/strict";
import { after, before, type TestContext } from "node:test";
import { prepareObjects } from "../../../lib/apply/prepare.ts";
import type { ClusterReader } from "../../../lib/cluster/cluster.ts";
import { stringifyJson } from "../../../lib/model/json.ts";
import type { PlannedChange } from "../../../lib/model/plan.ts";
import { type Manifest, refOf, resourceKey } from "../../../lib/model/resource.ts";
import type { ApplicationState } from "../../../lib/model/sync.ts";
import { fingerprintOf, foreignHash } from "../../../lib/ownership/fingerprint.ts";
import { applyStages } from "../../../lib/plan/stages.ts";
import { createHelperRenderer } from "../../../lib/render/helper-renderer.ts";
import type { Renderer } from "../../../lib/render/renderer.ts";
import { createSources } from "../../../lib/source/sources.ts";
import { createPreview, type Previewer } from "../../../lib/sync/preview/preview.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { aName, type OpenedCluster, openCluster } from "../../apply/open.ts";
import { aSync } from "../../contracts/rows.ts";
import { helperBinary } from "../../render/helper.ts";
import { testNamespace } from "../../support/cluster.ts";
import { type Planning, planningAround } from "../plan/planning.ts";

/** Manifests by file name, below the application's folder. */
export type Objects = Readonly<Record<string, Manifest | null>>;

/** An application on the real API server, its table and its repository, and what a plan says of it. */
export interface Previewing extends OpenedCluster {
  readonly planning: Planning;
  readonly preview: Previewer;
  /** The same, with the rights of another. */
  readonly previewAs: (reader: ClusterReader) => Previewer;
  readonly application: string;
  readonly namespace: string;
  /** Commits and plans objects on main; returns the commit id. */
  readonly push: (objects: Objects) => Promise<string>;
  /** Commits objects on a branch, and plans nothing. */
  readonly commit: (objects: Objects, branch: string) => Promise<string>;
  /** Applies the desired state and records it, as a sync does. */
  readonly sync: () => Promise<void>;
  readonly change: (change: (state: ApplicationState) => Partial<ApplicationState>) => Promise<void>;
  /** Patches a live object under another field manager. */
  readonly patch: (path: string, manager: string, body: object) => Promise<void>;
}

export interface PreviewingOptions {
  /** Lines of the application's entry, such as `sync: { conflicts: fail }`. */
  readonly more?: string;
  /** In place of a new one. */
  readonly namespace?: string;
}

export function previewingAround(): (t: TestContext, options?: PreviewingOptions) => Promise<Previewing> {
  const open = planningAround();
  const opened: { renderer?: Renderer } = {};
  before(async () => {
    opened.renderer = createHelperRenderer({ helper: await helperBinary() });
  });
  after(() => opened.renderer?.close());

  return async (t, { more = "", namespace: stated } = {}) => {
    const [planning, cluster, namespace] = await Promise.all([open(), openCluster(t), stated ?? testNamespace("preview")]);
    const { stores, platform } = planning;
    const { writer } = cluster;
    const application = aName("preview");
    const configuration = `clusters:\n  - { name: eu, context: eu }\napplications:\n  - { name: ${application}, path: app, cluster: eu, namespace: ${namespace}${more === "" ? "" : `, ${more}`} }\n`;
    await planning.commit(platform, { "driftless.yaml": configuration });
    const renderer = opened.renderer!;
    const reader: ClusterReader = writer;
    const previewAs = (as: ClusterReader): Previewer =>
      createPreview({
        stores,
        clusters: { reader: () => Promise.resolve(as) },
        sources: createSources(),
        renderer,
        log: silentLog,
      });
    const filesOf = (objects: Objects) =>
      Object.fromEntries(
        Object.entries(objects).map(([name, object]) => [`app/${name}.json`, object === null ? null : stringifyJson(object)]),
      );
    const stateNow = async (): Promise<ApplicationState> => {
      const state = await planning.state(application);
      assert.ok(state);
      return state;
    };
    const change: Previewing["change"] = async (make) => {
      const state = await stateNow();
      await stores.applications.put({ ...state, ...make(state), version: state.version + 1 });
    };

    return {
      ...cluster,
      planning,
      preview: previewAs(reader),
      previewAs,
      application,
      namespace,
      change,
      commit: (objects, branch) => planning.commit(platform, { "driftless.yaml": configuration, ...filesOf(objects) }, branch),
      async push(objects) {
        const head = await planning.commit(platform, filesOf(objects));
        const row = await planning.push(platform);
        assert.deepEqual([row?.state, row?.reason], ["planned", ""]);
        return head;
      },
      async sync() {
        const { desired, definition } = await stateNow();
        assert.ok(desired);
        const objects = await stores.snapshots.load(desired.snapshot);
        const request = {
          application,
          namespace: definition.namespace,
          objects,
          reader,
          digest: (text: string) => stores.digest(text),
        };
        const prepared = await prepareObjects(request);
        assert.deepEqual(prepared.failed, []);
        const entries = [];
        for (const { manifest, ref, digest } of applyStages(prepared.desired).flat()) {
          const { metadata } = await writer.apply(manifest, { force: true });
          entries.push({
            ref,
            digest,
            uid: metadata.uid ?? "",
            resourceVersion: metadata.resourceVersion ?? "",
            fingerprint: fingerprintOf(metadata)?.fingerprint ?? "",
            appliedAt: fingerprintOf(metadata)?.appliedAt ?? "",
            foreign: foreignHash(metadata),
            ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
          });
        }
        await stores.inventories.save({ application, cluster: "eu", entries }, { fence: 1 });
        const { generation, revision, snapshot } = desired;
        const lastSync = aSync({ application, generation, revision, snapshot, phase: "Succeeded" });
        await change(() => ({ lastSync, lastHealthy: { revision, snapshot } }));
      },
      async patch(path, manager, body) {
        const options = { contentType: "application/merge-patch+json", body };
        const { status, text } = await cluster.call("PATCH", `${path}?fieldManager=${manager}`, options);
        assert.equal(status, 200, text);
      },
    };
  };
}

/** A change, a line each: the object with its reason, then its fields. */
export function told(changes: readonly PlannedChange[]): readonly string[] {
  return changes.flatMap(({ action, ref, fields, reason }) => [
    `${action} ${ref.kind} ${ref.name}${reason === "" ? "" : `: ${reason}`}`,
    ...fields.map(
      ({ path, from, to, manager }) =>
        `  ${path}: ${stringifyJson(from ?? "-")} -> ${stringifyJson(to ?? "-")}${manager === "" ? "" : ` (${manager})`}`,
    ),
  ]);
}

/** Every object's version, to see that nothing was written. */
export async function versionsOf(reader: ClusterReader, objects: readonly Manifest[]): Promise<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>();
  for (const object of objects) {
    const live = await reader.get(refOf(object));
    versions.set(resourceKey(refOf(object)), live?.metadata.resourceVersion ?? "none");
  }
  return versions;
}
