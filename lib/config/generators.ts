import type { Cluster } from "../model/application.ts";
import type { Project } from "../model/project.ts";
import { destinationRefusal } from "../projects/limits.ts";
import { type Directories, directoriesKey, requestOf, requestRefusals, wantsDirectory } from "./directories.ts";
import type { generators } from "./generator-schema.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import type { Filling, Fillings } from "./placeholders.ts";
import { checkSelector, matchesSelector } from "./selector.ts";
import { quote } from "./wording.ts";

type WrittenGenerator = Partially<ValueOf<typeof generators>[number]>;
type WrittenGit = NonNullable<WrittenGenerator["git"]>;
type WrittenList = NonNullable<WrittenGenerator["list"]>;
type WrittenSelector = NonNullable<NonNullable<WrittenGenerator["clusters"]>["selector"]>;

/** What one application is made for. */
export interface Element {
  readonly fillings: Fillings;
  /** For people: `cluster "eu"`. */
  readonly origin: string;
}

export interface Generation {
  /** Undefined where something about them is wrong. */
  readonly clusters: readonly Cluster[] | undefined;
  /** Clone URL or path of the repository of the file. */
  readonly repository: string;
  readonly directories: Directories;
  /** Of an application file: nothing is looked at that it does not allow. */
  readonly project: Project | undefined;
  /** Whether generators whose folders are not known are passed over, in place of a finding. */
  readonly skipsUnanswered: boolean;
  /** How many elements a generator may give. */
  readonly most: number;
  readonly add: (path: string, message: string) => void;
}

/** Undefined where the elements are not known, for a reason that was added or that may be passed over. */
export function elementsOf(generator: WrittenGenerator, path: string, generation: Generation): readonly Element[] | undefined {
  const { list, clusters, git, matrix } = generator;
  if (list !== undefined) return listed(list, `${path}.list`, generation);
  if (clusters !== undefined) return chosenClusters(clusters.selector ?? {}, `${path}.clusters.selector`, generation);
  if (git !== undefined) return folders(git, `${path}.git`, generation);
  const [first, second] = (matrix?.generators ?? []).map((inner, index) =>
    elementsOf(inner ?? {}, `${path}.matrix.generators[${index}]`, generation),
  );
  if (first === undefined || second === undefined) return undefined;
  return product(first, second, { path: `${path}.matrix`, generation });
}

const elementKey = /^[A-Za-z_][0-9A-Za-z_.-]*$/;

function listed({ elements = [] }: WrittenList, path: string, { add }: Generation): readonly Element[] | undefined {
  const found: Element[] = [];
  for (const [index, element] of elements.entries()) {
    const at = `${path}.elements[${index}]`;
    const fillings = new Map<string, Filling>();
    for (const [key, value] of Object.entries(element ?? {})) {
      if (!elementKey.test(key))
        add(at, `${quote(key)} is no name of a placeholder: write letters, digits, dots, dashes and underscores`);
      else if (isFilling(value)) fillings.set(key, value);
      else add(at, `${key} must be text, a whole number, true or false: put it in quotes`);
    }
    if (element === undefined || fillings.size < Object.keys(element).length) return undefined;
    found.push({ fillings, origin: `element ${index + 1}` });
  }
  return found;
}

function isFilling(value: unknown): value is Filling {
  return typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value);
}

function chosenClusters(selector: WrittenSelector, path: string, generation: Generation): readonly Element[] | undefined {
  const { clusters, project, add } = generation;
  if (!checkSelector(selector, path, add) || clusters === undefined) return undefined;
  const isAllowed = ({ name }: Cluster): boolean =>
    project === undefined || destinationRefusal(project, { cluster: name, namespace: "" }) === undefined;
  return clusters
    .filter((cluster) => isAllowed(cluster) && matchesSelector(selector, cluster.labels))
    .map(({ name, labels }) => {
      const ofLabels = Object.entries(labels).map(([key, value]) => [`metadata.labels.${key}`, value] as const);
      return { fillings: new Map([["name", name], ...ofLabels]), origin: `cluster ${quote(name)}` };
    });
}

/** Names that are the same in every text that they may be put into, a patch of Kustomize included. */
const plainFolder = /^[\p{L}\p{M}\p{N}._+@=~ -]+$/u;

function folders(written: WrittenGit, path: string, generation: Generation): readonly Element[] | undefined {
  const { repository, directories, project, skipsUnanswered, add } = generation;
  const request = requestOf(written, repository);
  if (request === undefined) return undefined;
  if (request.include.length === 0) {
    add(`${path}.directories`, "leaves folders out and names none: add an entry without exclude");
    return undefined;
  }
  const [refusal] = project === undefined ? [] : requestRefusals(project, request);
  if (refusal !== undefined) {
    add(`${path}.repository`, refusal);
    return undefined;
  }
  const answer = directories.get(directoriesKey(request));
  if (answer === undefined) {
    if (!skipsUnanswered) add(path, `the folders of ${request.repository} at ${request.targetRevision} could not be read`);
    return undefined;
  }
  const wanted = [...new Set(answer)].filter((folder) => wantsDirectory(request, folder)).toSorted(byCodeUnits);
  const odd = wanted.find((folder) => !folder.split("/").every((name) => plainFolder.test(name)));
  if (odd === undefined) return wanted.map((folder) => ({ fillings: ofFolder(folder), origin: `folder ${quote(folder)}` }));
  add(path, `the folder ${quote(odd)} has a name that no placeholder takes over: rename it, or leave it out by "exclude: true"`);
  return undefined;
}

function ofFolder(folder: string): Fillings {
  const names = folder.split("/");
  const basename = names.at(-1)!;
  const normalized = basename
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const parts = names.map((name, index) => [`path[${index}]`, name] as const);
  return new Map([["path", folder], ["path.basename", basename], ["path.basenameNormalized", normalized], ...parts]);
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function product(
  first: readonly Element[],
  second: readonly Element[],
  { path, generation: { most, add } }: { readonly path: string; readonly generation: Generation },
): readonly Element[] | undefined {
  if (first.length * second.length > most) {
    add(path, `gives ${first.length} times ${second.length} applications: one file has at most ${most}`);
    return undefined;
  }
  const both = [...keysOf(first)].find((key) => keysOf(second).has(key));
  if (both !== undefined) {
    add(path, `both of its generators give {{${both}}}: name it differently in one of them`);
    return undefined;
  }
  return first.flatMap((one) =>
    second.map((other) => ({
      fillings: new Map([...one.fillings, ...other.fillings]),
      origin: `${one.origin}, ${other.origin}`,
    })),
  );
}

function keysOf(elements: readonly Element[]): ReadonlySet<string> {
  return new Set(elements.flatMap(({ fillings }) => [...fillings.keys()]));
}
