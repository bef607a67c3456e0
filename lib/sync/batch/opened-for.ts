import type { OpenOptions } from "../../cluster/cluster.ts";
import type { SyncBatch } from "../../model/sync.ts";
import { projectOf } from "../projects.ts";

/** As whom a batch comes to its cluster, and what for: the application where it has one, and else the project, with the commit. */
export function openedFor(batch: SyncBatch): Required<Pick<OpenOptions, "project" | "session">> {
  const { applications, revision } = batch;
  const project = projectOf(batch);
  const [first, ...others] = applications;
  const subject = first !== undefined && others.length === 0 ? first.name : project;
  return { project, session: revision === "" ? subject : `${subject}-${revision.slice(0, 7)}` };
}
