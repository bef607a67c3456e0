import { displayRef, gvkOf, type Manifest, refOf } from "../model/resource.ts";

/** How people ask, in the words of Argo CD, Flux and Driftless, that an object be applied other than usual. */
export interface ApplyOptions {
  /** `if-absent` makes it where it is not there and leaves it alone from then on; `never` leaves it to others. */
  readonly apply: "always" | "if-absent" | "never";
  /** The annotation, as `NAME: VALUE`, that keeps it from being applied always; "" when nothing does. */
  readonly because: string;
  /** Whether it may be deleted and made again where a field cannot be changed. */
  readonly recreate: boolean;
  /** Whether to take over fields of other managers; undefined leaves that to the application's policy. */
  readonly force: boolean | undefined;
  /** Whether what a former deployer stated, and the manifest does not, is removed when the object is adopted. */
  readonly adopt: boolean;
  /** Values without a meaning, a sentence each. */
  readonly problems: readonly string[];
}

/** What may be wanted of a kind, whatever its annotations say: `asked` needs Driftless's own annotation, by which nothing else is meant. */
export type RecreateRule = "allowed" | "asked" | "never";

export const recreateAnnotation = "driftless.dev/recreate";
const syncOptions = "argocd.argoproj.io/sync-options";
const fluxPolicy = "kustomize.toolkit.fluxcd.io/ssa";
const fluxForce = "kustomize.toolkit.fluxcd.io/force";
const fluxReconcile = "kustomize.toolkit.fluxcd.io/reconcile";

/** Options of Argo CD and the values they know. Those that stand for nothing here are known all the same. */
const knownOptions: ReadonlyMap<string, readonly string[]> = new Map([
  ...["Prune", "Delete"].map((name): [string, readonly string[]] => [name, ["true", "false", "confirm"]]),
  ["PrunePropagationPolicy", ["foreground", "background", "orphan"]],
  ...[
    "ApplyOutOfSyncOnly",
    "ClientSideApplyMigration",
    "CreateNamespace",
    "FailOnSharedResource",
    "Force",
    "PruneLast",
    "Replace",
    "RespectIgnoreDifferences",
    "ServerSideApply",
    "SkipDryRunOnMissingResource",
    "Validate",
  ].map((name): [string, readonly string[]] => [name, ["true", "false"]]),
]);

const usual: ApplyOptions = { apply: "always", because: "", recreate: false, force: undefined, adopt: true, problems: [] };

/** What the manifest's annotations ask for; Flux's may be labels too, as Flux reads them. */
export function applyOptionsOf(manifest: Manifest): ApplyOptions {
  const { annotations, labels } = manifest.metadata;
  if (annotations === undefined && labels === undefined) return usual;
  const flux = {
    policy: wordOf(manifest, fluxPolicy),
    force: wordOf(manifest, fluxForce),
    reconcile: wordOf(manifest, fluxReconcile),
  };
  const own = annotations?.[recreateAnnotation];
  const listed = optionsOf(annotations?.[syncOptions] ?? "");
  if (flux.policy === "" && flux.force === "" && flux.reconcile === "" && own === undefined && listed.length === 0) return usual;
  const asked = listed.includes("Force=true") || listed.includes("Replace=true") || flux.force === "enabled";
  const rule = recreateRule(manifest);
  return {
    ...applyRule(flux),
    recreate: rule !== "never" && (own === "allowed" || (asked && rule === "allowed")),
    force: flux.policy === "override" ? true : flux.policy === "merge" ? false : undefined,
    adopt: flux.policy !== "merge",
    problems: problemsOf(manifest, { flux, own, listed }),
  };
}

/** Deleting one of these deletes what cannot be made again from a repository: what is in it, or the data of its pods. */
export function recreateRule(object: { readonly apiVersion: string; readonly kind: string }): RecreateRule {
  const { group, kind } = gvkOf(object);
  switch (`${group}/${kind}`) {
    case "/Namespace":
    case "/PersistentVolume":
    case "apiextensions.k8s.io/CustomResourceDefinition":
      return "never";
    case "/PersistentVolumeClaim":
    case "apps/StatefulSet":
      return "asked";
    default:
      return "allowed";
  }
}

interface FluxWords {
  readonly policy: string;
  readonly force: string;
  readonly reconcile: string;
}

function applyRule({ policy, reconcile }: FluxWords): Pick<ApplyOptions, "apply" | "because"> {
  if (reconcile === "disabled") return { apply: "never", because: `${fluxReconcile}: disabled` };
  if (policy === "ignore") return { apply: "never", because: `${fluxPolicy}: Ignore` };
  if (policy === "ifnotpresent") return { apply: "if-absent", because: `${fluxPolicy}: IfNotPresent` };
  return { apply: "always", because: "" };
}

/** Flux's words in any case. */
function wordOf(manifest: Manifest, name: string): string {
  return valueOf(manifest, name).trim().toLowerCase();
}

function valueOf({ metadata }: Manifest, name: string): string {
  return metadata.annotations?.[name] ?? metadata.labels?.[name] ?? "";
}

function optionsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((option) => option.trim())
    .filter((option) => option !== "");
}

interface Words {
  readonly flux: FluxWords;
  readonly own: string | undefined;
  readonly listed: readonly string[];
}

function problemsOf(manifest: Manifest, { flux, own, listed }: Words): readonly string[] {
  const say = (annotation: string, value: string, advice: string) =>
    `${displayRef(refOf(manifest))}: annotation ${annotation}: "${value}" has no meaning, so it is left out; write ${advice}`;
  const known = (value: string, words: readonly string[]) => value === "" || words.includes(value);
  return [
    ...listed.filter((option) => !isKnown(option)).map((option) => say(syncOptions, option, adviceFor(option))),
    ...(known(flux.policy, ["override", "merge", "ifnotpresent", "ignore"])
      ? []
      : [say(fluxPolicy, valueOf(manifest, fluxPolicy), "Override, Merge, IfNotPresent or Ignore")]),
    ...(known(flux.force, ["enabled", "disabled"]) ? [] : [say(fluxForce, valueOf(manifest, fluxForce), "enabled or disabled")]),
    ...(known(flux.reconcile, ["enabled", "disabled"])
      ? []
      : [say(fluxReconcile, valueOf(manifest, fluxReconcile), "enabled or disabled")]),
    ...(own === undefined || own === "allowed" ? [] : [say(recreateAnnotation, own, "allowed")]),
    ...(own === "allowed" && recreateRule(manifest) === "never"
      ? [`${displayRef(refOf(manifest))}: annotation ${recreateAnnotation}: a ${manifest.kind} is never deleted to be made again`]
      : []),
  ];
}

function isKnown(option: string): boolean {
  const [name = "", value = ""] = option.split("=");
  return knownOptions.get(name)?.includes(value) === true;
}

function adviceFor(option: string): string {
  const plain = option.split("=")[0]?.toLowerCase() ?? "";
  const [name, values] = [...knownOptions].find(([known]) => known.toLowerCase() === plain) ?? ["NAME", ["true", "false"]];
  return values.map((value) => `${name}=${value}`).join(" or ");
}
