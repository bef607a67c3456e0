import { displayRef, type Manifest, refOf } from "../model/resource.ts";

export type HookPhase = "PreSync" | "Sync" | "PostSync" | "SyncFail";
export type HookDeletePolicy = "BeforeHookCreation" | "HookSucceeded" | "HookFailed";

export interface Hook {
  /** At least one, each once. */
  readonly phases: readonly HookPhase[];
  /** At least one, each once. */
  readonly deletePolicies: readonly HookDeletePolicy[];
}

const argoHook = "argocd.argoproj.io/hook";
const helmHook = "helm.sh/hook";
const argoDeletePolicy = "argocd.argoproj.io/hook-delete-policy";
const helmDeletePolicy = "helm.sh/hook-delete-policy";
const argoWave = "argocd.argoproj.io/sync-wave";
const helmWeight = "helm.sh/hook-weight";

/** What a word means: a phase, or, as undefined, nothing that a sync does. */
type Words<T> = ReadonlyMap<string, T | undefined>;

const argoPhases: Words<HookPhase> = new Map([
  ["PreSync", "PreSync"],
  ["Sync", "Sync"],
  ["PostSync", "PostSync"],
  ["SyncFail", "SyncFail"],
  ["Skip", undefined],
  ["PreDelete", undefined],
  ["PostDelete", undefined],
]);

/** Not among them `crd-install`: what Helm 2 installed so is an ordinary object. */
const helmPhases = (isFirst: boolean): Words<HookPhase> =>
  new Map([
    ["pre-install", isFirst ? "PreSync" : undefined],
    ["post-install", isFirst ? "PostSync" : undefined],
    ["pre-upgrade", isFirst ? undefined : "PreSync"],
    ["post-upgrade", isFirst ? undefined : "PostSync"],
    ["pre-delete", undefined],
    ["post-delete", undefined],
    ["pre-rollback", undefined],
    ["post-rollback", undefined],
    ["test", undefined],
    ["test-success", undefined],
    ["test-failure", undefined],
  ]);

const argoPolicies: Words<HookDeletePolicy> = new Map([
  ["BeforeHookCreation", "BeforeHookCreation"],
  ["HookSucceeded", "HookSucceeded"],
  ["HookFailed", "HookFailed"],
]);

const helmPolicies: Words<HookDeletePolicy> = new Map([
  ["before-hook-creation", "BeforeHookCreation"],
  ["hook-succeeded", "HookSucceeded"],
  ["hook-failed", "HookFailed"],
]);

/** How an object takes part in a sync; `undefined` for one that is no hook. */
export interface HookReading {
  readonly hook: Hook | "skip" | undefined;
  /** What the annotations say that has no meaning, and what becomes of it, a sentence each. */
  readonly problems: readonly string[];
}

/** What the annotations of an object make of it. Argo CD's win over Helm's. */
export function readHook(manifest: Manifest, { isFirst }: { readonly isFirst: boolean }): HookReading {
  const argo = wordsOf(manifest, argoHook);
  const helm = argo.length > 0 ? [] : wordsOf(manifest, helmHook);
  if (helm.includes("crd-install") || argo.length + helm.length === 0) return { hook: undefined, problems: [] };
  const phases =
    argo.length > 0
      ? meant(manifest, { annotation: argoHook, words: argo, known: argoPhases })
      : meant(manifest, { annotation: helmHook, words: helm, known: helmPhases(isFirst) });
  const policies = [
    meant(manifest, { annotation: argoDeletePolicy, words: wordsOf(manifest, argoDeletePolicy), known: argoPolicies }),
    meant(manifest, { annotation: helmDeletePolicy, words: wordsOf(manifest, helmDeletePolicy), known: helmPolicies }),
  ];
  const problems = [phases, ...policies].flatMap((read) => read.problems);
  if (phases.meanings.length === 0) return { hook: "skip", problems };
  const deletePolicies = [...new Set(policies.flatMap(({ meanings }) => meanings))];
  const hook: Hook = {
    phases: phases.meanings,
    deletePolicies: deletePolicies.length === 0 ? ["BeforeHookCreation"] : deletePolicies,
  };
  return { hook, problems };
}

/** Argo CD's wave, or the weight that Helm gives its hooks. */
export function readWave(manifest: Manifest): { readonly wave: number; readonly problems: readonly string[] } {
  const annotations = manifest.metadata.annotations ?? {};
  const annotation = annotations[argoWave] === undefined && isHelmHook(manifest) ? helmWeight : argoWave;
  const text = annotations[annotation]?.trim();
  if (text === undefined) return { wave: 0, problems: [] };
  const wave = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(wave)) return { wave: wave === 0 ? 0 : wave, problems: [] };
  return { wave: 0, problems: [problem(manifest, annotation, `"${text}" is no integer, so it is in wave 0`)] };
}

/** True for what Helm would run as a hook, or would have installed as one, unless Argo CD's annotation decides. */
export function isHelmHook(manifest: Manifest): boolean {
  return wordsOf(manifest, argoHook).length === 0 && wordsOf(manifest, helmHook).length > 0;
}

/** The words of a comma list; none where the annotation is not there, or empty. */
function wordsOf({ metadata }: Manifest, annotation: string): readonly string[] {
  const text = metadata.annotations?.[annotation] ?? "";
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

interface Reading<T> {
  readonly annotation: string;
  readonly words: readonly string[];
  readonly known: Words<T>;
}

function meant<T>(manifest: Manifest, { annotation, words, known }: Reading<T>): { meanings: T[]; problems: string[] } {
  const strange = words.filter((word) => !known.has(word));
  return {
    meanings: [...new Set(words.map((word) => known.get(word)))].filter((meaning) => meaning !== undefined),
    problems: strange.map((word) =>
      problem(manifest, annotation, `"${word}" has no meaning${hint(word, known)}, so it is left out`),
    ),
  };
}

function hint(word: string, known: Words<unknown>): string {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, "");
  const near = [...known.keys()].find((candidate) => plain(candidate) === plain(word));
  return near === undefined ? "" : ` (write ${near})`;
}

function problem(manifest: Manifest, annotation: string, text: string): string {
  return `${displayRef(refOf(manifest))}: annotation ${annotation}: ${text}`;
}
