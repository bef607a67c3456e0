import type { ClusterReader, ClusterWriter } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import { type Assessor, assessHealth, needsPods, podSelectorOf } from "../health/health.ts";
import type { CallOptions } from "../model/call.ts";
import type { Health } from "../model/health.ts";
import { applicationLabel, type Manifest, type ResourceRef } from "../model/resource.ts";

export { type StartedObject, startHooks } from "./start-hooks.ts";

/** A hook's object, by the uid that it was started with. */
export interface HookObject {
  readonly ref: ResourceRef;
  readonly uid: string;
}

export interface HookOutcome extends HookObject {
  /** `gone` when it was deleted, or replaced, before its end was seen. */
  readonly outcome: "running" | "succeeded" | "failed" | "gone";
  /** Why, for people; "" when there is nothing to add. */
  readonly message: string;
}

export interface HookOutcomesRequest {
  readonly reader: ClusterReader;
  readonly hooks: readonly HookObject[];
  /** Default the built-in rules. */
  readonly assess?: Assessor;
}

const atOnce = 8;

/** How hooks stand, judged by their own status alone; a pod that cannot start only gives the reason why it takes so long. */
export function hookOutcomes(request: HookOutcomesRequest, options: CallOptions = {}): Promise<readonly HookOutcome[]> {
  return mapConcurrently(request.hooks, { limit: atOnce, work: (hook) => outcomeOf(hook, request, options) });
}

async function outcomeOf(hook: HookObject, request: HookOutcomesRequest, options: CallOptions): Promise<HookOutcome> {
  const { reader, assess = assessHealth } = request;
  const live = await reader.get(hook.ref, options);
  if (live === undefined) return { ...hook, outcome: "gone", message: goneMessage };
  if (live.metadata.uid !== hook.uid) {
    return {
      ...hook,
      outcome: "gone",
      message: "someone deleted it before its end was seen, and created another of the same name",
    };
  }
  const own = ownHealth(live, assess);
  const outcome = outcomes[own.status];
  const message = outcome === "running" ? await podsWords(live, { own, reader, assess }, options) : own.message;
  return { ...hook, outcome, message };
}

const goneMessage =
  "it was deleted before its end was seen, by hand or by its ttlSecondsAfterFinished; leave that out, and let the annotation argocd.argoproj.io/hook-delete-policy say HookSucceeded in its place";

const outcomes: Readonly<Record<Health["status"], "running" | "succeeded" | "failed">> = {
  Healthy: "succeeded",
  Degraded: "failed",
  Progressing: "running",
  Suspended: "running",
  Missing: "running",
  Unknown: "running",
};

/** What ended keeps its end while it is being deleted; a pod has failed only when its phase says so. */
function ownHealth(live: Manifest, assess: Assessor): Health {
  const { deletionTimestamp: _deleted, ...metadata } = live.metadata;
  const own = assess({ ...live, metadata });
  if (own.status !== "Degraded" || live.apiVersion !== "v1" || live.kind !== "Pod") return own;
  const { phase } = live["status"] as { readonly phase?: string };
  return phase === "Failed" ? own : { ...own, status: "Progressing" };
}

/** Why a workload is not done, in the words of its pods where they know more than it does. */
async function podsWords(
  live: Manifest,
  { own, reader, assess }: { readonly own: Health; readonly reader: ClusterReader; readonly assess: Assessor },
  options: CallOptions,
): Promise<string> {
  const selector = needsPods(live, own) ? podSelectorOf(live) : undefined;
  if (selector === undefined) return own.message;
  const type = { group: "", version: "v1", kind: "Pod" };
  const pods = await reader.list({ type, namespace: live.metadata.namespace ?? "", labelSelector: selector }, options);
  return assess(live, { pods }).message;
}

export interface DeleteHooksRequest {
  readonly writer: ClusterWriter;
  /** Whose the hooks are: an object that another application took over is left alone. */
  readonly application: string;
  /** Those whose delete policy asks for it. */
  readonly hooks: readonly HookObject[];
}

/** Deletes hooks' objects, each only while it is the one that was started; returns those that the server would not delete. */
export async function deleteHooks(
  request: DeleteHooksRequest,
  options: CallOptions = {},
): Promise<readonly { readonly ref: ResourceRef; readonly error: string; readonly retryable: boolean }[]> {
  const failures = await mapConcurrently(request.hooks, { limit: atOnce, work: (hook) => deleteHook(hook, request, options) });
  return failures.filter((failure) => failure !== undefined);
}

async function deleteHook({ ref, uid }: HookObject, { writer, application }: DeleteHooksRequest, options: CallOptions) {
  try {
    const live = await writer.get(ref, options);
    const isThere = live?.metadata.uid === uid && live.metadata.deletionTimestamp === undefined;
    if (isThere && live.metadata.labels?.[applicationLabel] === application) await writer.delete(ref, { ...options, uid });
    return undefined;
  } catch (error) {
    if (!isDriftlessError(error, "apply")) throw error;
    return { ref, error: messageOf(error), retryable: error.retryable };
  }
}
