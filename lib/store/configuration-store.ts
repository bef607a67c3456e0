import type { DirectoriesRequest } from "../config/directories.ts";
import type { Application, Configuration } from "../model/application.ts";
import type { CallOptions } from "../model/call.ts";
import type { ApplicationFile } from "../model/project.ts";

/** The configuration in force: what was last read from the platform repository, and from the files that it names. */
export interface ConfigurationStore {
  save(stored: StoredConfiguration, options?: CallOptions): Promise<void>;
  load(options?: CallOptions): Promise<StoredConfiguration | undefined>;
  /** Keeps why the newest file is not in force; "" when it is. A problem of its own: what is stored stays in force. */
  saveProblem(problem: string, options?: CallOptions): Promise<void>;
  loadProblem(options?: CallOptions): Promise<string>;
  /** Keeps the number of the newest configuration whose every application has been looked at since. */
  saveSettled(number: number, options?: CallOptions): Promise<void>;
  loadSettled(options?: CallOptions): Promise<number>;
}

export interface StoredConfiguration {
  /** Put together from all files. */
  readonly configuration: Configuration;
  /** Commit that the platform's own file was read from. */
  readonly revision: string;
  /** Blob id of that file: equal means that nothing changed in it. */
  readonly oid: string;
  /** Counts up with every change of what is in force, so that going back to an earlier one is a change too. */
  readonly number: number;
  /** What gave it, the platform's own file first; absent in rows of older versions, when there was no other. */
  readonly files?: readonly StoredFile[];
}

/** One file of the configuration, and what it last gave. */
export interface StoredFile extends ApplicationFile {
  /** In which all its applications are; "" for the platform's own file. */
  readonly project: string;
  /** Commit and blob id that it was last read from without a problem; "" before the first time. */
  readonly revision: string;
  readonly oid: string;
  /** Names of those applications of the configuration that it gives. */
  readonly applications: readonly string[];
  /** What it gives now and is not in force, since another file has one of the names. */
  readonly waiting?: readonly Application[];
  /** What its generators ask for. */
  readonly directories: readonly StoredDirectories[];
  /** Why it still gives what it gave before; "" when it does not. Of the platform's own file it stands elsewhere. */
  readonly problem: string;
}

/** Folders that a generator asks for, as they were when the file was last read. */
export interface StoredDirectories extends DirectoriesRequest {
  /** Of the folders' paths; "" where they could not be listed. */
  readonly digest: string;
}
