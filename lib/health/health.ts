import type { Health, HealthCheckExpr } from "../model/health.ts";
import { isJsonObject } from "../model/json.ts";
import { type GroupVersionKind, gvkOf, type Manifest } from "../model/resource.ts";
import { builtIn } from "./built-in.ts";
import { assessByConditions, assessOldConditions } from "./conditions.ts";
import { assessByExpressions } from "./judge.ts";
import { assessByPods, needsPods } from "./pods.ts";
import { health, healthy, numberAt, textAt } from "./read.ts";
import { isStateless } from "./stateless.ts";
import { entryOf, type TableEntry } from "./table.ts";

export { type FailingContainer, failingContainer, podFailure } from "./pod.ts";
export { needsPods, podSelectorOf } from "./pods.ts";

export interface AssessContext {
  /** The pods of a workload that `needsPods`. */
  readonly pods?: readonly Manifest[];
}

export interface Assessor {
  (live: Manifest, context?: AssessContext): Health;
  /** False for kinds that are as they should be as soon as they are there; nobody has to read them. */
  readonly hasHealth: (kind: Pick<GroupVersionKind, "group" | "kind">) => boolean;
}

/**
 * Judges live objects: a kind that has an expression of the user's by it, any other by what is built in, by the table of
 * well-known kinds, or by its conditions. The version of `apiVersion` does not count, since an object can be read under several.
 */
export function createAssessor(expressions: readonly HealthCheckExpr[]): Assessor {
  const own = new Map(expressions.map((each) => [kindKey(each), each]));
  const assess = (live: Manifest, context: AssessContext = {}): Health => {
    if (live.metadata.deletionTimestamp !== undefined) return health("Progressing", beingDeleted(live));
    const unseen = notObserved(live);
    if (unseen !== undefined) return unseen;
    const expression = own.get(kindKey(live));
    if (expression !== undefined) return assessByExpressions(live, expression) ?? health("Progressing", "");
    const alone = assessKind(live);
    return context.pods !== undefined && needsPods(live, alone) ? assessByPods(live, { own: alone, pods: context.pods }) : alone;
  };
  const hasHealth = (kind: Pick<GroupVersionKind, "group" | "kind">): boolean =>
    !isStateless(kind) || own.has(`${kind.group}/${kind.kind}`);
  return Object.assign(assess, { hasHealth });
}

/** The health of a live object without anyone's own expressions. */
export const assessHealth: Assessor = createAssessor([]);

function kindKey(object: { readonly apiVersion: string; readonly kind: string }): string {
  const { group, kind } = gvkOf(object);
  return `${group}/${kind}`;
}

function assessKind(live: Manifest): Health {
  const assess = builtIn.get(kindKey(live));
  if (assess !== undefined) return assess(live);
  if (isStateless(gvkOf(live))) return healthy;
  const entry = entryOf(live);
  if (entry === undefined) return assessByConditions(live) ?? healthy;
  return (
    assessOldConditions(live) ??
    assessByEntry(live, entry) ??
    assessByConditions(live) ??
    health("Progressing", "its controller has not reported on it yet")
  );
}

/** The table's expressions may count on `spec` and `status`; of an object without a status none says that it is Unknown. */
function assessByEntry(live: Manifest, { otherwise, ...expressions }: TableEntry): Health | undefined {
  const status = live["status"] ?? {};
  const filled = { ...live, spec: live["spec"] ?? {}, status };
  return assessByExpressions(
    filled,
    otherwise !== undefined && isJsonObject(live["status"]) ? { ...expressions, otherwise } : expressions,
  );
}

function beingDeleted({ metadata }: Manifest): string {
  const finalizers = metadata.finalizers ?? [];
  return finalizers.length === 0 ? "it is being deleted" : `it is being deleted, held by ${finalizers.join(", ")}`;
}

/** What the status says is about an older spec while its controller has not seen the newest one. */
function notObserved(live: Manifest): Health | undefined {
  const observed = numberAt(live, "status", "observedGeneration") ?? numberIn(textAt(live, "status", "observedGeneration"));
  const { generation } = live.metadata;
  if (observed === undefined || generation === undefined || observed >= generation) return undefined;
  return health("Progressing", `its controller has not seen generation ${generation} yet`);
}

/** Some write the number as text; others a hash, which says nothing here. */
function numberIn(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}
