import { isScalar, type Node, parseDocument, type YAMLError } from "yaml";
import { DriftlessError, messageOf } from "../errors.ts";
import type { Application, Cluster, Configuration } from "../model/application.ts";
import { defaultProject } from "../model/project.ts";
import { checkSources, sourcesOf } from "./application-sources.ts";
import { type Checked, checkNode, type Finding } from "./check.ts";
import { checkDependencies } from "./dependencies.ts";
import { checkExpressions } from "./health-expressions.ts";
import { checkIgnored } from "./ignored-differences.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import { checkSuspension, checkSync, checkWindows, suspensionOf, syncPolicyOf, windowsOf } from "./policies.ts";
import { preventOf } from "./prevention-schema.ts";
import { configurationSchema } from "./schema.ts";
import { nearestWord } from "./suggest.ts";
import { quote } from "./wording.ts";

export interface ConfigurationFile {
  readonly text: string;
  /** Name of the file, for errors. */
  readonly file: string;
  /** Clone URL or path of the repository that holds the file: the default of every application's `repository`. */
  readonly repository: string;
}

/** Something wrong with the file; line and column count from 1. */
export interface ConfigurationProblem {
  readonly line: number;
  readonly column: number;
  /** `applications[2].sync.timeout`; "" for the document. */
  readonly path: string;
  readonly message: string;
}

export type ConfigurationCheck =
  | { readonly valid: true; readonly configuration: Configuration }
  | { readonly valid: false; readonly problems: readonly ConfigurationProblem[] };

type Written = ValueOf<typeof configurationSchema>;
type WrittenApplication = Written["applications"][number];

const largestFile = 1024 * 1024;
const longestList = 100;

/** Reads `driftless.yaml`, every default filled in; throws `config` with all problems, one a line as `file:line:column: ...`. */
export function parseConfiguration(source: ConfigurationFile): Configuration {
  const check = checkConfiguration(source);
  if (check.valid) return check.configuration;
  const { problems } = check;
  const first = problems[0]!;
  const shown = problems.slice(0, longestList).map(({ line, column, path, message }) => {
    return `${source.file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`;
  });
  if (problems.length > longestList) shown.push(`and ${problems.length - longestList} more`);
  throw new DriftlessError("config", shown.join("\n"), {
    facts: { file: source.file, line: first.line, column: first.column, problems: problems.length },
  });
}

/** As `parseConfiguration`, for callers that show the problems themselves. */
export function checkConfiguration({ text, repository }: ConfigurationFile): ConfigurationCheck {
  const starts = lineStarts(text);
  const located = ({ offset, path, message }: Finding): ConfigurationProblem => {
    const at = Math.min(Math.max(0, offset), text.length);
    const line = lineAt(starts, at);
    return { line: line + 1, column: at - (starts[line] ?? 0) + 1, path, message };
  };
  const read = readDocument(text);
  if ("findings" in read) return { valid: false, problems: read.findings.map(located) };

  const checked = checkNode(read.node, configurationSchema);
  const findings = [...checked.findings, ...crossChecks(checked.value ?? {}, checked)];
  if (findings.length > 0) return { valid: false, problems: findings.sort((a, b) => a.offset - b.offset).map(located) };

  const written = checked.value as Written;
  return {
    valid: true,
    configuration: {
      clusters: written.clusters.map(clusterOf),
      projects: [],
      healthCheckExprs: written.healthCheckExprs,
      applications: written.applications.map((application) => applicationOf(application, { repository, common: written })),
      remoteBases: written.remoteBases,
      repositories: written.repositories,
    },
  };
}

function readDocument(text: string): { readonly node: Node } | { readonly findings: readonly Finding[] } {
  if (text.length > largestFile) return only(0, `is larger than ${largestFile} characters`);
  // The package takes seconds to give up on these.
  const nest = text.search(/(?:[[{]\s*){100}/);
  if (nest >= 0) return only(nest, "is nested too deeply");
  try {
    // Duplicate keys are checked by the walk: the package's own check is quadratic.
    const document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      strict: true,
      uniqueKeys: false,
      merge: false,
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: "error",
    });
    const broken = [...document.errors, ...document.warnings];
    if (broken.length > 0) return { findings: broken.map(brokenYaml) };
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
      return only(0, 'is empty: write the keys "clusters" and "applications"');
    return { node: document.contents };
  } catch (error) {
    return only(0, `is not valid YAML: ${messageOf(error)}`);
  }
}

/** Where each line begins; counted in the text itself, since the package's counter misses what follows a place where reading went wrong. */
function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Index of the last line that begins at or before an offset. */
function lineAt(starts: readonly number[], offset: number): number {
  let [from, to] = [0, starts.length - 1];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if ((starts[middle] ?? 0) <= offset) from = middle;
    else to = middle - 1;
  }
  return from;
}

function brokenYaml({ pos, code, message }: YAMLError): Finding {
  const text =
    code === "MULTIPLE_DOCS" ? "must be one document: remove the --- and what follows it" : `is not valid YAML: ${message}`;
  return { offset: pos[0], path: "", message: text };
}

function only(offset: number, message: string): { readonly findings: readonly Finding[] } {
  return { findings: [{ offset, path: "", message }] };
}

/** What no schema says: names that meet, references that lead nowhere, values that contradict the product. */
function crossChecks(written: Partially<Written>, { offsetOf, isGiven }: Checked<Written>): Finding[] {
  const findings: Finding[] = [];
  const add = (path: string, message: string): void => void findings.push({ offset: offsetOf(path), path, message });
  // Each search for a near name costs as many steps as there are names: enough for those that will be shown.
  const isEnough = (): boolean => findings.length >= longestList;
  const clusters = written.clusters ?? [];
  const applications = written.applications ?? [];
  reportDuplicates(clusters, "clusters", add);
  reportDuplicates(applications, "applications", add);

  const named = clusters.map((cluster) => cluster?.name);
  const names = named.filter((name) => name !== undefined);
  const allNamed = names.length === named.length && written.clusters !== undefined;
  const known = new Set(names);
  for (const [index, application] of applications.entries()) {
    const path = `applications[${index}]`;
    const { cluster } = application ?? {};
    if (cluster !== undefined && allNamed && !known.has(cluster)) {
      const advice = isEnough() ? "" : `: ${clusterAdvice(cluster, names)}`;
      add(`${path}.cluster`, `there is no cluster ${quote(cluster)}${advice}`);
    }
    checkSources(application ?? {}, { path, isGiven, add });
    checkSync(application?.sync, `${path}.sync`, add);
    checkWindows(application?.syncWindows, `${path}.syncWindows`, { add, isEnough });
    checkSuspension(application?.suspend, `${path}.suspend`, add);
    checkIgnored(application?.ignoreDifferences, `${path}.ignoreDifferences`, add);
  }
  checkWindows(written.syncWindows, "syncWindows", { add, isEnough });
  checkExpressions(written.healthCheckExprs, "healthCheckExprs", add);
  checkDependencies(applications, { add, isEnough });
  return findings;
}

function reportDuplicates(
  entries: readonly ({ readonly name?: string | undefined } | undefined)[],
  list: string,
  add: (path: string, message: string) => void,
): void {
  const first = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    if (entry?.name === undefined) continue;
    const earlier = first.get(entry.name);
    if (earlier === undefined) first.set(entry.name, index);
    else add(`${list}[${index}].name`, `${quote(entry.name)} is the name of ${list}[${earlier}] already: names are unique`);
  }
}

function clusterAdvice(cluster: string, names: readonly string[]): string {
  const near = nearestWord(cluster, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  if (names.length === 0) return 'add it to "clusters"';
  return `add it to "clusters", or name one of ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", ..." : ""}`;
}

function clusterOf(cluster: Written["clusters"][number]): Cluster {
  const { name, context, eks, prevent } = cluster;
  const shared = { name, labels: {}, ...preventOf(prevent) };
  return eks === undefined
    ? { ...shared, kind: "kubeconfig", context: context! }
    : { ...shared, kind: "eks", clusterName: eks.name, region: eks.region, role: "", externalId: "" };
}

/** `common` is the document, whose windows count for every application. */
function applicationOf(
  application: WrittenApplication,
  { repository, common }: { readonly repository: string; readonly common: Pick<Written, "syncWindows"> },
): Application {
  const {
    name,
    cluster,
    namespace = "",
    sync,
    drift,
    additions,
    ignoreDifferences,
    dependsOn,
    rollback,
    syncWindows,
    suspend,
  } = application;
  return {
    name,
    project: defaultProject,
    sources: sourcesOf(application, repository),
    cluster,
    namespace,
    sync: syncPolicyOf(sync),
    drift,
    additions,
    ignoreDifferences,
    dependsOn,
    rollback,
    syncWindows: windowsOf([...common.syncWindows, ...syncWindows]),
    ...(suspend === undefined ? {} : { suspend: suspensionOf(suspend) }),
  };
}
