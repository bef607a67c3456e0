import { existsSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { git } from "./git-client.ts";
import type { LocalGitServer } from "./git-server.ts";

export interface SampleRepository {
  /** Clone URL. */
  readonly url: string;
  /** The work tree to edit and push from. */
  readonly folder: string;
  /** True when it was made just now and waits to be pushed. */
  readonly isNew: boolean;
}

/** The sample repository as a work tree beside its server; one that is there already is kept, with what was committed to it. */
export async function prepareSample({
  server,
  folder,
}: {
  readonly server: LocalGitServer;
  readonly folder: string;
}): Promise<SampleRepository> {
  const { url } = await server.createRepository("guestbook");
  if (existsSync(join(folder, ".git"))) {
    await git(folder, "remote", "set-url", "origin", url);
    return { url, folder, isNew: (await git(folder, "ls-remote", "--heads", "origin", "main")) === "" };
  }
  await mkdir(folder, { recursive: true });
  await cp(join(import.meta.dirname, "sample"), folder, { recursive: true });
  await cp(join(import.meta.dirname, "../../driftless.schema.json"), join(folder, "driftless.schema.json"));
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await git(folder, "config", "user.name", "You");
  await git(folder, "config", "user.email", "you@localhost");
  await git(folder, "remote", "add", "origin", url);
  await git(folder, "add", "--all");
  await git(folder, "commit", "--quiet", "--message=A guestbook for two environments");
  return { url, folder, isNew: true };
}
