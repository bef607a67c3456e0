import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type ConfigurationCheck, checkApplicationFile, checkConfiguration } from "../../lib/config/configuration.ts";
import { type Directories, type DirectoriesRequest, directoriesKey, directoriesWanted } from "../../lib/config/directories.ts";
import { type ConfigurationFile, type ConfigurationProblem, problemLine } from "../../lib/config/document.ts";
import { isApplicationFile } from "../../lib/config/file-kind.ts";
import { publishedSchema } from "../../lib/config/schema.ts";
import { nearestWord } from "../../lib/config/suggest.ts";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import type { Configuration } from "../../lib/model/application.ts";
import type { Project } from "../../lib/model/project.ts";
import { repositoryKey } from "../../lib/model/repository.ts";
import { findProject } from "../../lib/projects/find.ts";
import { type Command, flag, type Invocation, type Output, textOption, UsageError } from "../command.ts";
import { oneLine } from "../table.ts";
import { type WorkingTree, workingTreeOf } from "../working-tree.ts";

const help = `
  --platform FILE    the platform file that an application file (one without clusters) is checked against
  --project NAME     the project of the application file
  --repository URL   clone URL of the repository that holds the files; default: the remote origin of their folder
  --schema           print the JSON Schema of driftless.yaml, for editors, and check nothing

Without FILE it is driftless.yaml. Nothing is fetched: folders that git generators ask for are those of the working tree; what other
repositories hold is not checked, and said. Exit status 1 when a file is not valid.
`;

/** One file, as it was checked. */
interface ValidatedFile {
  readonly file: string;
  readonly valid: boolean;
  /** Names. */
  readonly applications: readonly string[];
  readonly problems: readonly ConfigurationProblem[];
  /** Requests of git generators that only a push answers; their applications are not among these. */
  readonly unanswered: readonly DirectoriesRequest[];
  /** For people. */
  readonly summary: string;
}

/** A file as it was read, and what could be found out for it. */
interface ReadFile extends ConfigurationFile {
  readonly directories: Directories;
  readonly unanswered: readonly DirectoriesRequest[];
  readonly skipsUnanswered: true;
}

export const validate: Command = {
  usage: "validate [FILE...]",
  summary: "checks driftless.yaml, or a team's application file, without any network",
  help,
  options: {
    platform: { type: "string" },
    project: { type: "string" },
    repository: { type: "string" },
    schema: { type: "boolean" },
  },
  positionals: { least: 0, most: 100 },
  async run(invocation) {
    if (flag(invocation, "schema")) return { text: publishedSchema(), json: publishedSchema().trimEnd() };
    const names = invocation.positionals.length === 0 ? ["driftless.yaml"] : invocation.positionals;
    const files: ValidatedFile[] = [];
    for (const name of names) files.push(...(await validated(name, invocation)));
    return outputOf(files);
  },
};

async function validated(name: string, invocation: Invocation): Promise<readonly ValidatedFile[]> {
  const file = await readConfigurationFile(name, invocation);
  if (!isApplicationFile(file.text)) return [platformResult(file, checkConfiguration(file))];
  const [platformName, projectName] = [textOption(invocation, "platform"), textOption(invocation, "project")];
  if (platformName === undefined || projectName === undefined)
    throw new UsageError(
      `${name} states no clusters, so it is an application file: say by --platform FILE --project NAME which platform file and which project it belongs to`,
    );
  // The platform file lies in a repository of its own, which --repository is not about.
  const platform = await readConfigurationFile(platformName, invocation, { isPlatform: true });
  const check = checkConfiguration(platform);
  if (!check.valid) return [platformResult(platform, check)];
  return [teamResult(file, check.configuration, projectOf(check.configuration, projectName, platformName))];
}

function projectOf(configuration: Configuration, name: string, platform: string): Project {
  const project = findProject(configuration, name);
  if (project !== undefined && configuration.projects.length > 0) return project;
  const names = configuration.projects.map((stated) => stated.name);
  const near = nearestWord(name, names);
  const advice = near === undefined ? `it has ${names.length === 0 ? "none" : names.join(", ")}` : `did you mean ${near}?`;
  throw new UsageError(`${platform} has no project ${name}: ${advice}`);
}

async function readConfigurationFile(name: string, invocation: Invocation, { isPlatform = false } = {}): Promise<ReadFile> {
  const path = resolve(name);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : messageOf(cause);
    throw new DriftlessError("config", `${name} cannot be read: ${why}`, { cause });
  });
  const tree = await workingTreeOf(dirname(path));
  const stated = isPlatform ? undefined : textOption(invocation, "repository");
  const repository = stated ?? tree?.origin ?? tree?.root ?? dirname(path);
  const wanted = directoriesWanted({ text, file: name, repository });
  const directories = await answers(wanted, repository, tree);
  const unanswered = wanted.filter((request) => !directories.has(directoriesKey(request)));
  return { text, file: name, repository, directories, unanswered, skipsUnanswered: true };
}

async function answers(
  wanted: readonly DirectoriesRequest[],
  repository: string,
  tree: WorkingTree | undefined,
): Promise<Directories> {
  const own = wanted.filter((request) => repositoryKey(request.repository) === repositoryKey(repository));
  const folders = own.length === 0 ? undefined : await tree?.folders();
  return new Map(folders === undefined ? [] : own.map((request) => [directoriesKey(request), folders]));
}

function platformResult(file: ReadFile, check: ConfigurationCheck): ValidatedFile {
  if (!check.valid) return refused(file, check.problems);
  const { clusters, projects, applications } = check.configuration;
  const counts = [counted(clusters, "cluster"), counted(projects, "project"), counted(applications, "application")];
  return accepted(file, { applications, summary: counts.join(", ") });
}

function teamResult(file: ReadFile, platform: Configuration, project: Project): ValidatedFile {
  const taken = platform.applications.map(({ name }) => name);
  const check = checkApplicationFile({ ...file, project, platform, taken });
  if (!check.valid) return refused(file, check.problems);
  const { applications } = check;
  return accepted(file, { applications, summary: `${counted(applications, "application")} of project ${project.name}` });
}

function counted(list: readonly unknown[], what: string): string {
  return `${list.length} ${what}${list.length === 1 ? "" : "s"}`;
}

function refused({ file, unanswered }: ReadFile, problems: readonly ConfigurationProblem[]): ValidatedFile {
  return { file, valid: false, applications: [], problems, unanswered, summary: "" };
}

function accepted(
  { file, unanswered }: ReadFile,
  { applications, summary }: { readonly applications: Configuration["applications"]; readonly summary: string },
): ValidatedFile {
  const names = applications.map(({ name }) => name);
  return { file, valid: true, applications: names, problems: [], unanswered, summary };
}

function outputOf(files: readonly ValidatedFile[]): Output {
  const lines = files.flatMap(({ file, valid, problems, unanswered, summary }) => [
    ...(valid ? [`${file}: valid: ${summary}`] : problems.map((problem) => problemLine(file, problem))),
    ...unanswered.map((request) => `${file}: not checked: ${unansweredText(request)}`),
  ]);
  const items = files.map(({ file, valid, applications, problems, unanswered }) => {
    return { file, valid, applications, problems, unanswered };
  });
  return {
    text: lines.map((line) => `${oneLine(line)}\n`).join(""),
    json: JSON.stringify(items, null, 2),
    status: files.every(({ valid }) => valid) ? 0 : 1,
  };
}

function unansweredText({ repository, targetRevision, include }: DirectoriesRequest): string {
  return `the applications for the folders ${include.join(", ")} of ${repository} at ${targetRevision}, which are not in this working tree`;
}
