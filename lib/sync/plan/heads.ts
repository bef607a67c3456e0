import { DriftlessError } from "../../errors.ts";
import type { GitSource } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import type { SourceTree } from "../../model/tree.ts";
import { branchKey } from "../../plan/affected.ts";
import type { Sources } from "../../source/source.ts";
import type { Log } from "../../telemetry/log.ts";

export interface HeadsDeps {
  readonly sources: Sources;
  readonly log: Log;
  readonly correlationId: string;
}

/** The heads that one plan looks at: each branch is asked for once, however many applications read it. */
export interface OpenedHeads {
  /** Throws `source` for a branch that is not there. */
  readonly open: (source: GitSource) => Promise<SourceTree>;
  /** The commit under a `branchKey`; "" for a branch that could not be opened. */
  readonly revision: (key: string) => string;
}

export function openHeads({ sources, log, correlationId }: HeadsDeps, options: CallOptions): OpenedHeads {
  const opened = new Map<string, Promise<SourceTree>>();
  const revisions = new Map<string, string>();

  const open = async (key: string, { repository, targetRevision }: GitSource): Promise<SourceTree> => {
    const source = sources.source(repository);
    const head = await source.head(targetRevision, options);
    if (head === undefined) throw new DriftlessError("source", `branch ${targetRevision} of ${repository} does not exist`);
    const tree = await source.open(head, options);
    revisions.set(key, head);
    log.info("plan.begun", { repository, branch: targetRevision, revision: head, correlationId });
    return tree;
  };

  return {
    open(source) {
      const key = branchKey(source.repository, source.targetRevision);
      const known = opened.get(key) ?? open(key, source);
      opened.set(key, known);
      return known;
    },
    revision: (key) => revisions.get(key) ?? "",
  };
}
