import { join } from "node:path";
import { startGitServer } from "../../cli/local/git-server.ts";
import { createSources } from "../../lib/source/sources.ts";
import { type ContractSubject, sourceContract } from "./contract.ts";
import { git, temporaryFolder } from "./repositories.ts";

interface LocalVariant {
  readonly init?: readonly string[];
  /** Prepares the bare repository and gives the path to open. */
  readonly prepare?: (paths: { readonly repository: string; readonly other: string }) => Promise<string>;
}

function local({ init = [], prepare }: LocalVariant = {}): () => Promise<ContractSubject> {
  return async () => {
    const folder = await temporaryFolder();
    const repository = join(folder.path, "shop.git");
    await git(folder.path, "init", "--quiet", "--bare", "--initial-branch=main", ...init, repository);
    return {
      repository,
      open: async () =>
        createSources().source((await prepare?.({ repository, other: join(folder.path, "other") })) ?? repository),
      close: () => folder.remove(),
    };
  };
}

function http(config: { readonly [key: string]: string } = {}, init: readonly string[] = []): () => Promise<ContractSubject> {
  return async () => {
    const folder = await temporaryFolder();
    const server = await startGitServer({ root: folder.path });
    if (init.length > 0) await git(folder.path, "init", "--quiet", "--bare", "--initial-branch=main", ...init, "acme/shop.git");
    const { path, url } = await server.createRepository("acme/shop");
    for (const [key, value] of Object.entries(config)) await git(path, "config", key, value);
    return {
      repository: path,
      open: async () => createSources().source(url),
      close: async () => {
        await server.close();
        await folder.remove();
      },
    };
  };
}

sourceContract("local, loose objects", local({ prepare: async ({ repository }) => repository }));
sourceContract(
  "local, everything packed",
  local({
    prepare: async ({ repository }) => {
      await git(repository, "gc", "--quiet");
      return `file://${repository}`;
    },
  }),
);
sourceContract(
  "local, working folder that borrows objects",
  local({
    prepare: async ({ repository, other }) => {
      await git(repository, "clone", "--quiet", "--shared", "--no-checkout", repository, other);
      for (const branch of ["main-2", "team/feature"]) await git(other, "branch", "--quiet", branch, `origin/${branch}`);
      return other;
    },
  }),
);
sourceContract(
  "local, linked worktree",
  local({
    prepare: async ({ repository, other }) => {
      await git(repository, "worktree", "add", "--quiet", "--no-checkout", "--detach", other, "main-2");
      return other;
    },
  }),
);
sourceContract("local, SHA-256", local({ init: ["--object-format=sha256"] }), "sha256");
sourceContract("smart HTTP, partial", http());
sourceContract("smart HTTP, server without filters", http({ "uploadpack.allowFilter": "false" }));
sourceContract("smart HTTP, SHA-256", http({}, ["--object-format=sha256"]), "sha256");
