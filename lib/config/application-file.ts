import type { Application, Configuration } from "../model/application.ts";
import type { Project } from "../model/project.ts";
import { applicationOf, checkCandidates, checkLimits, enoughOf } from "./applications.ts";
import { candidatesOf, type WrittenApplication } from "./candidates.ts";
import { checkNode } from "./check.ts";
import { checkDependencies } from "./dependencies.ts";
import type { Directories } from "./directories.ts";
import { type ConfigurationFile, type ConfigurationProblem, locate, problemsError, readDocument } from "./document.ts";
import { applicationFileSchema } from "./schema.ts";
import { reportDuplicates } from "./unique-names.ts";

/** A file in which a team states its own applications; `repository` is that of the file. */
export interface TeamFile extends ConfigurationFile {
  readonly project: Project;
  readonly platform: Configuration;
  /** Answers to what the file's git generators ask for, see `directoriesWanted`. */
  readonly directories?: Directories;
  /** Whether generators whose folders are not known are passed over, in place of a finding; default no. */
  readonly skipsUnanswered?: boolean;
  /** Names that the file may not use, of applications of other files; default none. */
  readonly taken?: readonly string[];
}

export type ApplicationFileCheck =
  | { readonly valid: true; readonly applications: readonly Application[] }
  | { readonly valid: false; readonly problems: readonly ConfigurationProblem[] };

/** The applications of a team's file, all of its project; throws `config` with all problems, as `parseConfiguration` does. */
export function parseApplicationFile(source: TeamFile): readonly Application[] {
  const check = checkApplicationFile(source);
  if (check.valid) return check.applications;
  throw problemsError(source.file, check.problems);
}

/** As `parseApplicationFile`, for callers that show the problems themselves; whether names are unique over all files is another question. */
export function checkApplicationFile(source: TeamFile): ApplicationFileCheck {
  const { text, repository, project, platform, directories = new Map(), skipsUnanswered = false, taken = [] } = source;
  const read = readDocument(text);
  if ("findings" in read) return { valid: false, problems: locate(text, read.findings) };

  const checked = checkNode(read.node, applicationFileSchema);
  const findings = [...checked.findings];
  const add = (path: string, message: string): void => void findings.push({ offset: checked.offsetOf(path), path, message });
  const written = checked.value ?? {};
  const generation = { clusters: platform.clusters, repository, directories, project, skipsUnanswered, add };
  const { candidates, isComplete } = candidatesOf(written, { checked, findings, generation });
  const isEnough = enoughOf(findings);
  reportDuplicates(written.applicationSets ?? [], "applicationSets", add);
  const clusters = new Set(platform.clusters.map(({ name }) => name));
  checkCandidates(candidates, { clusters, projects: undefined, onlyProject: project.name, taken: new Set(taken), isEnough });
  const others = platform.applications.map(({ name }) => name);
  checkDependencies(candidates, { isComplete, others, isEnough });
  if (findings.length > 0) return { valid: false, problems: locate(text, findings) };

  const applications = candidates.map((candidate) => {
    const application = applicationOf(candidate.written as WrittenApplication, {
      repository,
      project: project.name,
      windows: project.syncWindows,
    });
    checkLimits(candidate, project, application);
    return application;
  });
  return findings.length === 0 ? { valid: true, applications } : { valid: false, problems: locate(text, findings) };
}
