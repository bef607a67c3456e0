import * as fc from "fast-check";
import { aConfigMap } from "../support/objects.ts";
import type { Fault, Files } from "./fleet.ts";
import type { Interruption } from "./worker.ts";

export const applicationKeys = ["one", "two"] as const;
export type ApplicationKey = (typeof applicationKeys)[number];
export const objectKeys = ["a", "b", "c", "d"] as const;
export type ObjectKey = (typeof objectKeys)[number];

/** One application as a commit has it. */
export interface AppAt {
  readonly prune: boolean;
  readonly allowEmpty: boolean;
  readonly fault: Fault | "";
}

/** Who states an object in a commit, and with what content. */
export interface ObjectAt {
  readonly owner: ApplicationKey | "";
  readonly version: number;
}

/**
 * How a run goes: `straight`; killed at a call, and resumed; `stale`: it stops before one of its steps until the runs of a later
 * commit are over; `late`: it begins only then.
 */
export type Way =
  | { readonly kind: "straight" | "late" }
  | { readonly kind: "killed"; readonly at: number; readonly when: Exclude<Interruption, Promise<void>> }
  | { readonly kind: "stale"; readonly step: number };

export interface Commit {
  /** Without those that are not in the configuration. */
  readonly applications: Readonly<Partial<Record<ApplicationKey, AppAt>>>;
  readonly objects: Readonly<Record<ObjectKey, ObjectAt>>;
  /** True while the API server refuses every delete. */
  readonly denies: boolean;
  /** The call at which the plan's first worker dies; 0 for none. */
  readonly planDiesAt: number;
  /** True gives each application a run of its own. */
  readonly splits: boolean;
  readonly ways: readonly Way[];
}

const often = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const anApp = fc.record<AppAt>({
  prune: often(true, false),
  allowEmpty: fc.boolean(),
  fault: often<Fault | "">("", "render", "source", "away"),
});

const anObject = fc.record<ObjectAt>({
  owner: fc.constantFrom<ApplicationKey | "">("one", "one", "two", "two", ""),
  version: fc.integer({ min: 1, max: 2 }),
});

const aWay = fc.oneof<fc.Arbitrary<Way>[]>(
  fc.constant<Way>({ kind: "straight" }),
  fc.constantFrom<Way>({ kind: "straight" }, { kind: "late" }),
  fc.record({
    kind: fc.constant("killed" as const),
    at: fc.integer({ min: 1, max: 40 }),
    when: fc.constantFrom("before", "after"),
  }),
  fc.record({ kind: fc.constant("stale" as const), step: fc.integer({ min: 1, max: 6 }) }),
);

const aCommit: fc.Arbitrary<Commit> = fc.record({
  applications: fc.record({
    one: fc.oneof({ weight: 6, arbitrary: anApp }, { weight: 1, arbitrary: fc.constant(undefined) }),
    two: fc.oneof({ weight: 6, arbitrary: anApp }, { weight: 1, arbitrary: fc.constant(undefined) }),
  }) as fc.Arbitrary<Commit["applications"]>,
  objects: fc.record({ a: anObject, b: anObject, c: anObject, d: anObject }),
  denies: often(false, true),
  planDiesAt: often(0, 3, 7, 12, 20),
  splits: fc.boolean(),
  ways: fc.array(aWay, { minLength: 2, maxLength: 2 }),
});

/** Three to six commits; the last is a head that can be rendered and synced, so that there is something to converge to. */
export const aHistory: fc.Arbitrary<readonly Commit[]> = fc
  .tuple(fc.array(aCommit, { minLength: 2, maxLength: 5 }), aCommit)
  .map(([commits, last]) => [...commits, mended(last)]);

function mended(commit: Commit): Commit {
  const applications = Object.fromEntries(
    Object.entries(commit.applications).map(([key, app]) => [key, app && { ...app, fault: "" as const, allowEmpty: true }]),
  );
  return { ...commit, applications, denies: false, planDiesAt: 0, ways: [{ kind: "straight" }, { kind: "straight" }] };
}

/** How names of one history differ from those of the others. */
export interface Names {
  readonly prefix: string;
  readonly namespace: string;
}

export const applicationName = ({ prefix }: Names, key: ApplicationKey): string => `${prefix}-${key}`;
export const objectName = ({ prefix }: Names, key: ObjectKey): string => `${prefix}-${key}`;

/** The commit as files. */
export function filesOf(commit: Commit, names: Names): Files {
  const files: Record<string, string> = {};
  const lines: string[] = [];
  for (const key of applicationKeys) {
    const app = commit.applications[key];
    if (app === undefined) continue;
    const sync = `{ timeout: 15s, prune: ${app.prune}, allowEmpty: ${app.allowEmpty} }`;
    lines.push(
      `  - { name: ${applicationName(names, key)}, path: ${key}, cluster: eu, namespace: ${names.namespace}, sync: ${sync} }\n`,
    );
    // Git has no empty folders.
    files[`${key}/README.md`] = key;
    if (app.fault !== "") files[`${key}/fault.yaml`] = app.fault;
    for (const [object, { owner, version }] of Object.entries(commit.objects)) {
      if (owner !== key) continue;
      const manifest = aConfigMap(names.namespace, `${names.prefix}-${object}`, { version: String(version) });
      files[`${key}/${object}.yaml`] = JSON.stringify(manifest);
    }
  }
  const list = lines.length === 0 ? " []" : `\n${lines.join("")}`;
  return { ...files, "driftless.yaml": `clusters:\n  - { name: eu, context: eu }\napplications:${list}\n` };
}

/** What a commit states. */
export function statedBy({ applications, objects }: Commit): ReadonlyMap<ObjectKey, ApplicationKey> {
  const stated = objectKeys.flatMap((key) => {
    const { owner } = objects[key];
    return owner === "" || applications[owner] === undefined ? [] : [[key, owner] as const];
  });
  return new Map(stated);
}
