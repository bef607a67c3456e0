import type { Application, Configuration } from "../model/application.ts";
import { defaultProject, type Project } from "../model/project.ts";
import { findProject } from "../projects/find.ts";
import { applicationOf, checkCandidates, checkLimits, enoughOf } from "./applications.ts";
import { type Candidate, candidatesOf, type WrittenApplication } from "./candidates.ts";
import { type Checked, checkNode, type Finding } from "./check.ts";
import { checkClusters, clusterOf } from "./clusters.ts";
import { checkDependencies } from "./dependencies.ts";
import type { Directories } from "./directories.ts";
import { type ConfigurationFile, type ConfigurationProblem, locate, problemsError, readDocument } from "./document.ts";
import { checkExpressions } from "./health-expressions.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import { checkWindows, windowsOf } from "./policies.ts";
import { checkProjects, projectOf } from "./projects.ts";
import { configurationSchema } from "./schema.ts";
import { namesOf, reportDuplicates } from "./unique-names.ts";

export { checkApplicationFile, parseApplicationFile } from "./application-file.ts";

export type ConfigurationCheck =
  | { readonly valid: true; readonly configuration: Configuration }
  | { readonly valid: false; readonly problems: readonly ConfigurationProblem[] };

/** Answers to what the file's git generators ask for, see `directoriesWanted`. */
export interface FileWithDirectories extends ConfigurationFile {
  readonly directories?: Directories;
  /** Whether generators whose folders are not known are passed over, in place of a finding; default no. */
  readonly skipsUnanswered?: boolean;
}

type Written = ValueOf<typeof configurationSchema>;

/** Reads `driftless.yaml`, every default filled in; throws `config` with all problems, one a line as `file:line:column: ...`. */
export function parseConfiguration(source: FileWithDirectories): Configuration {
  const check = checkConfiguration(source);
  if (check.valid) return check.configuration;
  throw problemsError(source.file, check.problems);
}

/** As `parseConfiguration`, for callers that show the problems themselves. */
export function checkConfiguration(source: FileWithDirectories): ConfigurationCheck {
  const { text, repository, directories = new Map(), skipsUnanswered = false } = source;
  const read = readDocument(text);
  if ("findings" in read) return { valid: false, problems: locate(text, read.findings) };

  const checked = checkNode(read.node, configurationSchema);
  const findings = [...checked.findings];
  const written = checked.value ?? {};
  const add = (path: string, message: string): void => void findings.push({ offset: checked.offsetOf(path), path, message });
  const areClustersRight = !checked.findings.some(({ path }) => path.startsWith("clusters")) && written.clusters !== undefined;
  const clusters = areClustersRight ? (written.clusters as Written["clusters"]).map(clusterOf) : undefined;
  const generation = { clusters, repository, directories, project: undefined, skipsUnanswered, add };
  const { candidates, isComplete } = candidatesOf(written, { checked, findings, generation });
  crossChecks(written, { checked, findings, candidates, isComplete });
  if (findings.length > 0) return { valid: false, problems: locate(text, findings) };

  const complete = checked.value as Written;
  const projects = complete.projects.map((project) => projectOf(project, complete));
  const applications = applicationsOf(candidates, { repository, projects, common: complete });
  if (findings.length > 0) return { valid: false, problems: locate(text, findings) };
  const { healthCheckExprs, remoteBases, repositories } = complete;
  return {
    valid: true,
    configuration: { clusters: clusters ?? [], projects, healthCheckExprs, applications, remoteBases, repositories },
  };
}

function crossChecks(
  written: Partially<Written>,
  {
    checked,
    findings,
    candidates,
    isComplete,
  }: {
    readonly checked: Checked<Written>;
    readonly findings: Finding[];
    readonly candidates: readonly Candidate[];
    readonly isComplete: boolean;
  },
): void {
  const add = (path: string, message: string): void => void findings.push({ offset: checked.offsetOf(path), path, message });
  const isEnough = enoughOf(findings);
  for (const list of ["clusters", "projects", "applicationSets"] as const) reportDuplicates(written[list] ?? [], list, add);
  const clusters = namesOf(written.clusters);
  checkClusters(written.clusters ?? [], add);
  checkProjects(written.projects ?? [], { clusters, isGiven: checked.isGiven, add, isEnough });
  checkCandidates(candidates, {
    clusters,
    projects: namesOf(written.projects),
    onlyProject: undefined,
    taken: new Set(),
    isEnough,
  });
  checkWindows(written.syncWindows, "syncWindows", { add, isEnough });
  checkExpressions(written.healthCheckExprs, "healthCheckExprs", add);
  checkDependencies(candidates, { isComplete, others: [], isEnough });
}

/** What their projects refuse is added to the findings. */
function applicationsOf(
  candidates: readonly Candidate[],
  {
    repository,
    projects,
    common,
  }: { readonly repository: string; readonly projects: readonly Project[]; readonly common: Written },
): readonly Application[] {
  const windows = windowsOf(common.syncWindows);
  return candidates.map((candidate) => {
    const written = candidate.written as WrittenApplication;
    const name = written.project ?? defaultProject;
    const project = findProject({ projects }, name);
    const application = applicationOf(written, {
      repository,
      project: name,
      windows: projects.length === 0 ? windows : (project?.syncWindows ?? []),
    });
    if (project !== undefined) checkLimits(candidate, project, application);
    return application;
  });
}
