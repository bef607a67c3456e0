import { parseConfiguration } from "../../config/configuration.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../../errors.ts";
import type { Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import { repositoryKey } from "../../model/repository.ts";
import type { SourceTree } from "../../model/tree.ts";
import type { Sources } from "../../source/source.ts";
import type { ConfigurationStore, StoredConfiguration } from "../../store/store.ts";

/** Where the platform repository keeps its configuration. */
export interface ConfigurationSource {
  readonly repository: string;
  readonly branch: string;
  readonly path: string;
}

export interface ReadConfigurationDeps {
  readonly sources: Sources;
  readonly store: ConfigurationStore;
  readonly from: ConfigurationSource;
}

export interface NewestConfiguration {
  readonly configuration: Configuration;
  /** Commit at the head of the branch that holds it. */
  readonly head: string;
  /** Of the stored configuration, see `StoredConfiguration`. */
  readonly number: number;
}

interface Found {
  readonly head: string;
  readonly tree: SourceTree;
  readonly stored: StoredConfiguration | undefined;
}

/** Reads `driftless.yaml` at the head of its branch and stores it; one that is not valid changes nothing and is a `config` error. */
export function createReadConfiguration({
  sources,
  store,
  from,
}: ReadConfigurationDeps): (options?: CallOptions) => Promise<NewestConfiguration> {
  const read = async (options: CallOptions): Promise<NewestConfiguration> => {
    const source = sources.source(from.repository);
    const [stored, head] = await Promise.all([store.load(options), source.head(from.branch, options)]);
    if (head === undefined)
      throw new DriftlessError("config", `${from.repository} has no branch ${from.branch}, which should hold ${from.path}`, {
        facts: { revision: "" },
      });
    return readAt({ head, tree: await source.open(head, options), stored }, options);
  };

  const readAt = async ({ head, tree, stored }: Found, options: CallOptions): Promise<NewestConfiguration> => {
    const facts = { revision: head };
    const entry = await tree.lookup(from.path, options);
    if (entry?.type !== "file")
      throw new DriftlessError("config", `${from.path} is not a file at ${head.slice(0, 12)} of ${from.repository}`, { facts });
    if (stored?.oid === entry.oid) return { configuration: stored.configuration, head, number: stored.number };
    const bytes = (await tree.read([entry.oid], options)).get(entry.oid);
    const text = new TextDecoder().decode(bytes);
    const configuration = parseAt(head, text);
    const number = (stored?.number ?? 0) + 1;
    await store.save({ configuration, revision: head, oid: entry.oid, number }, options);
    return { configuration, head, number };
  };

  /** As parsed; an error says which commit it is about, so that nobody has to look at that commit again. */
  function parseAt(revision: string, text: string): Configuration {
    try {
      return parseConfiguration({ text, file: from.path, repository: from.repository });
    } catch (error) {
      if (!isDriftlessError(error)) throw error;
      throw new DriftlessError(error.code, error.message, { cause: error, facts: { ...error.facts, revision } });
    }
  }

  return async (options = {}) => {
    try {
      const newest = await read(options);
      if ((await store.loadProblem(options)) !== "") await store.saveProblem("", options);
      return newest;
    } catch (error) {
      if (isDriftlessError(error, "config", "source") && !error.retryable) await store.saveProblem(messageOf(error), options);
      throw error;
    }
  };
}

/** True when a push to this branch may change the configuration. */
export function holdsConfiguration(
  from: ConfigurationSource,
  pushed: { readonly repository: string; readonly branch: string },
): boolean {
  return repositoryKey(from.repository) === repositoryKey(pushed.repository) && from.branch === pushed.branch;
}
