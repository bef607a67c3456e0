import { type DriftlessError, messageOf } from "../../errors.ts";
import type { Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import { canonicalJson, type JsonValue } from "../../model/json.ts";
import type { Branch } from "../../plan/affected.ts";
import type { Sources } from "../../source/source.ts";
import type { StoredConfiguration, StoredFile, Stores } from "../../store/store.ts";
import { projectsOf } from "../projects.ts";
import { admitApplications } from "./admit-applications.ts";
import {
  type ConfigurationSource,
  fileKey,
  fileText,
  holdsConfiguration,
  isReadFrom,
  platformFile,
} from "./configuration-files.ts";
import { withLeftProjects } from "./left-projects.ts";
import { type ConfigurationRequest, type Look, lookAtPlatform, lookAtTeams, type PlatformLook, union } from "./look-at-files.ts";
import { type AskedDirectories, createFileReader, openBranches } from "./read-file.ts";

export interface ReadConfigurationDeps {
  readonly sources: Sources;
  readonly stores: Pick<Stores, "applications" | "configuration">;
  readonly from: ConfigurationSource;
}

/** What a push makes of the configuration. */
export interface NewestConfiguration {
  /** Undefined while the platform's own file could never be read. */
  readonly stored: StoredConfiguration | undefined;
  /** Why the platform's own file is not in force as it is; "" when it is. */
  readonly problem: string;
  /** Whether there is something to be written, by one plan at a time. */
  readonly isNew: boolean;
  /** Why nothing can be planned: the platform's own file was pushed, or never read, and is wrong. */
  readonly failure?: DriftlessError;
  /** Why files still give what they gave before, for the push that concerns them. */
  readonly problems: readonly string[];
  /** Why a file that the push concerns could not be read now, and may be later. */
  readonly interrupted?: DriftlessError;
  /** The branches that were looked at, under their `branchKey`; head "" for one that could not be opened. */
  readonly looked: ReadonlyMap<string, Branch & { readonly head: string }>;
}

/**
 * Puts the configuration together: the platform's own file, the files that its projects name, and the folders that generators
 * ask for, each at the head of its branch. Only what the push concerns is read; after a change of the platform's own file all
 * files are. A file that is wrong or cannot be read keeps what it gave. Writes nothing.
 */
export function createReadConfiguration({
  sources,
  stores,
  from,
}: ReadConfigurationDeps): (request: ConfigurationRequest, options?: CallOptions) => Promise<NewestConfiguration> {
  return async (request, options = {}) => {
    const branches = openBranches(sources, options);
    const look: Look = { branches, reader: createFileReader(branches, options), request };
    const platform = await lookAtPlatform(from, look);
    const { stored, pushed } = request;
    const looked = branches.looked();
    if (platform.outcome === "failed" && (stored === undefined || holdsConfiguration(from, pushed))) {
      const next = stored === undefined ? undefined : withAsked(stored, platform.asked, from);
      const problem = platform.error.retryable ? request.problem : messageOf(platform.error);
      return { ...newest(request, next, problem), failure: platform.error, problems: [], looked };
    }
    const base = platform.outcome === "read" ? platform.configuration : platformPart(from, stored as StoredConfiguration);
    const teams = await lookAtTeams({ base, isForced: platform.outcome === "read" }, look);
    const own = ownFile(from, stored, platform);
    const { files, applications } = admitApplications({
      platform: base.applications,
      looked: teams.looked,
      before: { files: before(from, stored), applications: stored?.configuration.applications ?? [] },
    });
    const projects =
      platform.outcome === "read"
        ? await withLeftProjects({
            stated: base.projects,
            before: stored && projectsOf(stored.configuration),
            states: () => stores.applications.list(options),
          })
        : base.projects;
    const isSame = platform.outcome === "same" && teams.looked.every((each) => each.look.outcome === "same");
    const configuration: Configuration = { ...base, projects, applications: [...base.applications, ...applications] };
    const { revision, oid } = own;
    const next = isSame ? stored : numbered(stored, { configuration, revision, oid, files: [own, ...files] });
    const { problem, problems, interrupted } = troubles(platform, { request, teams: teams.interrupted, files });
    return { ...newest(request, next, problem), problems, looked, ...(interrupted === undefined ? {} : { interrupted }) };
  };
}

/** What the platform's own file gave of a stored configuration. */
function platformPart(from: ConfigurationSource, { configuration, ...stored }: StoredConfiguration): Configuration {
  const names = new Set(platformFile(from, { configuration, ...stored }).applications);
  const applications = configuration.applications.filter(({ name }) => names.has(name));
  return { ...configuration, projects: projectsOf(configuration), applications };
}

function ownFile(from: ConfigurationSource, stored: StoredConfiguration | undefined, look: PlatformLook): StoredFile {
  const file = platformFile(from, stored);
  switch (look.outcome) {
    case "same":
      return file;
    case "read":
      return { ...file, ...look.origin, applications: look.configuration.applications.map(({ name }) => name) };
    case "failed":
      return { ...file, directories: union(file.directories, look.asked) };
    default:
      return look satisfies never;
  }
}

function before(from: ConfigurationSource, stored: StoredConfiguration | undefined): readonly StoredFile[] {
  return stored === undefined
    ? []
    : [platformFile(from, stored), ...(stored.files ?? []).filter(({ project }) => project !== "")];
}

/** What the platform's own file asks for now is watched as well: by a push there it may become right. */
function withAsked(stored: StoredConfiguration, asked: AskedDirectories, from: ConfigurationSource): StoredConfiguration {
  const file = platformFile(from, stored);
  const others = (stored.files ?? []).filter(({ project }) => project !== "");
  return { ...stored, files: [{ ...file, directories: union(file.directories, asked) }, ...others] };
}

/** With a number of its own where another configuration is in force by it. */
function numbered(stored: StoredConfiguration | undefined, next: Omit<StoredConfiguration, "number">): StoredConfiguration {
  const isKept = stored !== undefined && isEqual(stored.configuration, next.configuration);
  return { ...next, number: isKept ? stored.number : (stored?.number ?? 0) + 1 };
}

function newest(
  { stored, problem: known }: ConfigurationRequest,
  next: StoredConfiguration | undefined,
  problem: string,
): Pick<NewestConfiguration, "stored" | "problem" | "isNew"> {
  const isKept = next === stored || (stored !== undefined && next !== undefined && isEqual(stored, next));
  return { stored: isKept ? stored : next, problem, isNew: !isKept || problem !== known };
}

/** True when two documents of the table say the same. */
export function isEqual(one: object, other: object): boolean {
  return canonicalJson(one as JsonValue) === canonicalJson(other as JsonValue);
}

/** What is wrong, as far as it concerns the push or is new by it. */
function troubles(
  platform: PlatformLook,
  {
    request: { pushed, stored, problem },
    teams,
    files,
  }: {
    readonly request: ConfigurationRequest;
    readonly teams: DriftlessError | undefined;
    readonly files: readonly StoredFile[];
  },
): Pick<NewestConfiguration, "problem" | "problems"> & { readonly interrupted: DriftlessError | undefined } {
  const known = new Map((stored?.files ?? []).map((file) => [fileKey(file), file.problem]));
  const told = files.filter(
    (file) => file.problem !== "" && (isReadFrom(file, pushed) || known.get(fileKey(file)) !== file.problem),
  );
  const problems = told.map((file) => `${fileText(file)}: ${file.problem}`);
  switch (platform.outcome) {
    case "same":
      return { problem, problems, interrupted: teams };
    case "read":
      return { problem: "", problems, interrupted: teams };
    case "failed":
      return platform.error.retryable
        ? { problem, problems, interrupted: teams ?? platform.error }
        : { problem: messageOf(platform.error), problems: [messageOf(platform.error), ...problems], interrupted: teams };
    default:
      return platform satisfies never;
  }
}
