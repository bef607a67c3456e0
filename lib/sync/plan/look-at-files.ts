import { mapConcurrently } from "../../cluster/concurrency.ts";
import { parseApplicationFile, parseConfiguration } from "../../config/configuration.ts";
import { directoriesKey } from "../../config/directories.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../../errors.ts";
import type { Configuration } from "../../model/application.ts";
import { type Branch, branchKey } from "../../plan/affected.ts";
import type { StoredConfiguration, StoredFile } from "../../store/store.ts";
import type { FileLook, LookedFile } from "./admit-applications.ts";
import { type ConfigurationSource, fileKey, isReadFrom, platformFile, type TeamFile, teamFiles } from "./configuration-files.ts";
import type { AskedDirectories, ConfigurationBranches, FileReader } from "./read-file.ts";

export interface ConfigurationRequest {
  readonly pushed: Branch;
  readonly stored: StoredConfiguration | undefined;
  /** Why the platform's own file is not in force as it is; "" when it is. */
  readonly problem: string;
}

/** The platform's own part: as it was, as it is now, or as it was since it cannot be taken as it is. */
export type PlatformLook =
  | { readonly outcome: "same" }
  | { readonly outcome: "read"; readonly configuration: Configuration; readonly origin: Origin }
  | { readonly outcome: "failed"; readonly error: DriftlessError; readonly asked: AskedDirectories };

type Origin = Pick<StoredFile, "revision" | "oid" | "directories">;

/** One look at everything that a push concerns. */
export interface Look {
  readonly branches: ConfigurationBranches;
  readonly reader: FileReader;
  readonly request: ConfigurationRequest;
}

/** Looks at the platform's own file where the push concerns it; what is wrong with it is an answer. */
export async function lookAtPlatform(
  from: ConfigurationSource,
  { branches, reader, request: { pushed, stored, problem } }: Look,
): Promise<PlatformLook> {
  const file = platformFile(from, stored);
  if (stored !== undefined && !isReadFrom(file, pushed)) return { outcome: "same" };
  let asked: AskedDirectories = [];
  try {
    if (stored !== undefined && problem === "" && (await reader.isSame(file, pushed))) return { outcome: "same" };
    const { text, directories, origin } = await reader.read(file, (directories) => {
      asked = directories;
    });
    const { repository, path } = from;
    return { outcome: "read", configuration: parseConfiguration({ text, file: path, repository, directories }), origin };
  } catch (error) {
    if (!isDriftlessError(error, "config", "source")) throw error;
    // By its commit nobody has to look at it again.
    const head = branches.looked().get(branchKey(from.repository, from.branch))?.head ?? "";
    const { code, message, retryable, facts } = error;
    const known = head === "" ? facts : { ...facts, revision: head };
    return { outcome: "failed", error: new DriftlessError(code, message, { cause: error, retryable, facts: known }), asked };
  }
}

export interface Teams {
  readonly looked: readonly LookedFile[];
  readonly interrupted: DriftlessError | undefined;
}

/** Looks at the files that projects name: at all of them when `isForced`, else at those that the push concerns. */
export async function lookAtTeams(
  { base, isForced }: { readonly base: Configuration; readonly isForced: boolean },
  { reader, request: { pushed, stored } }: Look,
): Promise<Teams> {
  const known = new Map((stored?.files ?? []).map((file) => [fileKey(file), file]));
  let interrupted: DriftlessError | undefined;

  const lookAt = async (file: TeamFile): Promise<FileLook> => {
    const last = known.get(fileKey(file));
    const isConcerned = isReadFrom(last ?? { ...file, directories: [] }, pushed);
    let asked: AskedDirectories = [];
    try {
      if (!isForced && last !== undefined && (!isConcerned || (last.problem === "" && (await reader.isSame(last, pushed)))))
        return { outcome: "same" };
      const project = base.projects.find(({ name }) => name === file.project)!;
      const { text, directories, origin } = await reader.read({ ...file, limits: project }, (directories) => {
        asked = directories;
      });
      const { path, repository } = file;
      const applications = parseApplicationFile({ text, file: path, repository, project, platform: base, directories });
      return { outcome: "read", applications, origin };
    } catch (error) {
      if (!isDriftlessError(error, "config", "source")) throw error;
      if (error.retryable && isConcerned) interrupted = error;
      return { outcome: "failed", problem: messageOf(error), directories: union(last?.directories ?? [], asked) };
    }
  };

  const looked = await mapConcurrently(teamFiles(base.projects), {
    limit: 8,
    work: async (file) => ({ file, look: await lookAt(file) }),
  });
  return { looked, interrupted };
}

/** What was asked for before and what is asked for now, each once. */
export function union(known: AskedDirectories, asked: AskedDirectories): AskedDirectories {
  return [...new Map([...asked, ...known].map((request) => [directoriesKey(request), request])).values()];
}
