import type { Manifest, ResourceRef } from "../model/resource.ts";
import { isFoundation } from "./foundation.ts";
import { isHelmHook, readHook, readWave } from "./hook-annotations.ts";
import { type HookPhase, runs } from "./hooks.ts";
import { compareRefs } from "./stages.ts";

/** A wave of a sync: its objects are applied, then its hooks started, and the next begins when all are healthy and done. */
export interface Step<T> {
  readonly phase: HookPhase;
  readonly wave: number;
  /** In apply order. */
  readonly objects: readonly T[];
  /** In the order in which they are started. */
  readonly hooks: readonly T[];
}

export interface Steps<T> {
  /** One after the other; none is empty. */
  readonly sync: readonly Step<T>[];
  /** What is run when the sync failed: the SyncFail hooks, one step a wave. */
  readonly failure: readonly Step<T>[];
  /** Neither applied nor pruned. */
  readonly skipped: readonly T[];
  /** Annotations that mean nothing, and what becomes of them, a sentence each. */
  readonly problems: readonly string[];
}

export interface StepsContext {
  /** True while no sync of the application has ever succeeded. */
  readonly isFirst: boolean;
  /** False for a sync that only heals: it runs no hooks. */
  readonly withHooks: boolean;
}

interface Desired {
  readonly manifest: Manifest;
  readonly ref: ResourceRef;
}

interface Sorted<T> {
  readonly foundation: T[];
  readonly ordinary: T[];
  readonly hooks: { readonly object: T; readonly phases: readonly HookPhase[] }[];
  readonly skipped: T[];
  readonly problems: string[];
}

/**
 * The steps of a sync: PreSync hooks, then waves of objects and Sync hooks, then PostSync hooks, each by wave. Definitions and
 * namespaces belong to the first step whatever their annotations say; without hooks and waves there is just one step.
 */
export function syncSteps<T extends Desired>(desired: readonly T[], context: StepsContext): Steps<T> {
  const { foundation, ordinary, hooks, skipped, problems } = sortOut(desired, context);
  const of = (phase: HookPhase): readonly T[] =>
    hooks.filter(({ phases }) => context.withHooks && phases.includes(phase)).map(({ object }) => object);
  const begin = [
    ...stepsOf({ phase: "PreSync", objects: [], hooks: of("PreSync") }),
    ...stepsOf({ phase: "Sync", objects: ordinary, hooks: of("Sync") }),
  ];
  return {
    sync: [...onFoundation(foundation, begin), ...stepsOf({ phase: "PostSync", objects: [], hooks: of("PostSync") })],
    failure: stepsOf({ phase: "SyncFail", objects: [], hooks: of("SyncFail") }),
    skipped,
    problems,
  };
}

function sortOut<T extends Desired>(desired: readonly T[], { isFirst }: StepsContext): Sorted<T> {
  const sorted: Sorted<T> = { foundation: [], ordinary: [], hooks: [], skipped: [], problems: [] };
  for (const object of [...desired].sort((a, b) => compareRefs(a.ref, b.ref))) {
    const { hook, problems } = readHook(object.manifest, { isFirst });
    sorted.problems.push(...problems, ...readWave(object.manifest).problems);
    if (isFoundation(object.manifest) && !isNeverApplied(object.manifest)) sorted.foundation.push(object);
    else if (hook === "skip") sorted.skipped.push(object);
    else if (hook === undefined) sorted.ordinary.push(object);
    else sorted.hooks.push({ object, phases: hook.phases });
  }
  return sorted;
}

/** Skipped by the first sync and by later ones: what is only for one of the two is kept up by the other. */
function isNeverApplied(manifest: Manifest): boolean {
  return [true, false].every((isFirst) => readHook(manifest, { isFirst }).hook === "skip");
}

interface PhaseOfSync<T> {
  readonly phase: HookPhase;
  readonly objects: readonly T[];
  readonly hooks: readonly T[];
}

function stepsOf<T extends Desired>({ phase, objects, hooks }: PhaseOfSync<T>): readonly Step<T>[] {
  const objectsOf = Map.groupBy(objects, ({ manifest }) => readWave(manifest).wave);
  const hooksOf = Map.groupBy(hooks, ({ manifest }) => readWave(manifest).wave);
  const waves = [...new Set([...objectsOf.keys(), ...hooksOf.keys()])].sort((a, b) => a - b);
  return waves.flatMap((wave) => {
    const [first, ...later] = inTurns(hooksOf.get(wave) ?? []);
    const step: Step<T> = { phase, wave, objects: objectsOf.get(wave) ?? [], hooks: first };
    return [step, ...later.map((turn): Step<T> => ({ phase, wave, objects: [], hooks: turn }))];
  });
}

/**
 * Hooks of Argo CD in one wave run together. Those of Helm in one weight run one after another, by kind and then by name: charts
 * rely on it. Each turn ends with one that runs.
 */
function inTurns<T extends Desired>(hooks: readonly T[]): readonly [readonly T[], ...(readonly T[])[]] {
  const first: T[] = hooks.filter(({ manifest }) => !isHelmHook(manifest));
  const turns: [T[], ...T[][]] = [first];
  let last = first;
  let isClosed = false;
  for (const hook of hooks.filter(({ manifest }) => isHelmHook(manifest))) {
    if (isClosed) turns.push((last = []));
    last.push(hook);
    isClosed = runs(hook.ref);
  }
  return [first.sort((a, b) => compareRefs(a.ref, b.ref)), ...turns.slice(1)];
}

function onFoundation<T>(foundation: readonly T[], steps: readonly Step<T>[]): readonly Step<T>[] {
  if (foundation.length === 0) return steps;
  const [first = { phase: "Sync", wave: 0, objects: [], hooks: [] } satisfies Step<T>, ...later] = steps;
  return [{ ...first, objects: [...foundation, ...first.objects] }, ...later];
}
