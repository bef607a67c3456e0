import { setTimeout as delay } from "node:timers/promises";
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

/** A hook's object that is still there: the server would not delete it, or its end takes longer than this call waits. */
export type LeftHook =
  | { readonly kind: "refused"; readonly ref: ResourceRef; readonly error: string; readonly retryable: boolean }
  | { readonly kind: "terminating"; readonly ref: ResourceRef; readonly finalizers: readonly string[] };

/** How often, and at what pause in milliseconds, it is looked whether a deleted hook is gone. */
const looks = { most: 5, pause: 100 };

/** Deletes hooks' objects, each only while it is the one that was started; returns those that are still there. */
export async function deleteHooks(request: DeleteHooksRequest, options: CallOptions = {}): Promise<readonly LeftHook[]> {
  const left = await mapConcurrently(request.hooks, { limit: atOnce, work: (hook) => deleteHook(hook, request, options) });
  return left.filter((hook) => hook !== undefined);
}

async function deleteHook(
  { ref, uid }: HookObject,
  { writer, application }: DeleteHooksRequest,
  options: CallOptions,
): Promise<LeftHook | undefined> {
  try {
    const live = await writer.get(ref, options);
    if (live?.metadata.uid !== uid || live.metadata.labels?.[applicationLabel] !== application) return undefined;
    if (live.metadata.deletionTimestamp === undefined) await writer.delete(ref, { ...options, uid });
    for (let look = 1; ; look++) {
      const after = await writer.get(ref, options);
      if (after?.metadata.uid !== uid) return undefined;
      if (look === looks.most) return { kind: "terminating", ref, finalizers: after.metadata.finalizers ?? [] };
      await delay(looks.pause, undefined, options);
    }
  } catch (error) {
    if (!isDriftlessError(error, "apply", "refused")) throw error;
    return { kind: "refused", ref, error: messageOf(error), retryable: error.retryable };
  }
}
