import { createHash, randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { EKSClient } from "@aws-sdk/client-eks";
import { type Applied, type ApplyRequest, applyObjects } from "../../lib/apply/apply-objects.ts";
import { listLive } from "../../lib/apply/live.ts";
import { type DesiredObject, prepareObjects } from "../../lib/apply/prepare.ts";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import { createClusters } from "../../lib/cluster/clusters.ts";
import { gvkOf, type Manifest, refOf } from "../../lib/model/resource.ts";
import { applyStages } from "../../lib/plan/stages.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { type ApiResponse, callApi } from "../control-plane/api.ts";
import { sharedControlPlane } from "../support/cluster.ts";

export interface OpenedCluster {
  readonly writer: ClusterWriter;
  /** One raw call as cluster-admin, as any other client makes it. */
  readonly call: (
    method: string,
    path: string,
    options?: { readonly body?: object; readonly contentType?: string },
  ) => Promise<ApiResponse>;
}

/** The shared control plane, opened as the functions open theirs; closed when the test ends. */
export async function openCluster(t: TestContext): Promise<OpenedCluster> {
  const controlPlane = await sharedControlPlane();
  const clusters = createClusters({
    find: (name) => Promise.resolve({ name, kind: "kubeconfig", labels: {}, context: "admin" }),
    project: () => Promise.resolve(undefined),
    kubeconfigPath: controlPlane.kubeconfig,
    eksClient: () => new EKSClient({}),
    clock: systemClock,
    log: silentLog,
  });
  t.after(() => clusters.close());
  return {
    writer: await clusters.writer("test"),
    call: (method, path, options = {}) =>
      callApi({ ...controlPlane, token: controlPlane.tokens.admin }, path, { method, ...options }),
  };
}

/** A name that no other test has; applications are told apart by it in the whole cluster. */
export function aName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString("hex")}`;
}

export const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Objects as a sync of the application would send them; none may fail. */
export async function prepared(
  writer: ClusterWriter,
  {
    application,
    objects,
    namespace = "",
  }: { readonly application: string; readonly objects: readonly Manifest[]; readonly namespace?: string },
): Promise<readonly DesiredObject[]> {
  const { desired, failed } = await prepareObjects({ application, namespace, objects, reader: writer, digest });
  if (failed.length > 0) throw new Error(`not prepared: ${JSON.stringify(failed)}`);
  return desired;
}

export interface ApplyOptions extends Partial<Pick<ApplyRequest, "force" | "stillMine" | "log" | "isNew">> {
  readonly application: string;
  readonly objects: readonly Manifest[];
  /** Applications whose objects are listed before. Default: the one that is applied. */
  readonly known?: readonly string[];
}

/** Applies as a sync does, stage by stage. */
export async function applied(writer: ClusterWriter, options: ApplyOptions): Promise<readonly Applied[]> {
  const { application, objects, known = [application], isNew, force = "ask-first", log = silentLog } = options;
  const { stillMine = () => Promise.resolve(true) } = options;
  const { live } = await listLive({ reader: writer, kinds: objects.map(gvkOf), applications: known });
  const stages = applyStages(await prepared(writer, { application, objects }));
  return applyObjects({ writer, live, stages, force, stillMine, log, ...(isNew ? { isNew } : {}) });
}

/** Why an object failed; "" when it did not. */
export function errorOf(result: Applied | undefined): string {
  return result?.change.action === "failed" ? result.change.error : "";
}

/** What a sync did, a line each: `created ConfigMap web`. */
export function told(results: readonly Applied[]): readonly string[] {
  return results.map(({ change: { action, ref } }) => `${action} ${ref.kind} ${ref.name}`);
}

/** Puts a policy in force; returns what takes it away again, which the end of the test does too. */
export async function enforce(
  t: TestContext,
  { writer }: OpenedCluster,
  policy: readonly Manifest[],
): Promise<() => Promise<void>> {
  for (const object of policy) await writer.apply(object, { force: true });
  const lift = async (): Promise<void> => {
    for (const object of policy.toReversed()) {
      const live = await writer.get(refOf(object));
      if (live) await writer.delete(refOf(live), { uid: live.metadata.uid ?? "" });
    }
  };
  t.after(lift);
  return lift;
}
