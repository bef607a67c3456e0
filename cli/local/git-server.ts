import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DriftlessError } from "../../lib/errors.ts";
import { type Log, silentLog } from "../../lib/telemetry/log.ts";
import { findGit, type Git, type Refs } from "./git-backend.ts";

/** One ref that a push moved. A commit id of zeros stands for a ref that was not, or is no longer, there. */
export interface PushedRef {
  /** As given to `createRepository`. */
  readonly repository: string;
  /** Clone URL. */
  readonly url: string;
  /** Full name, as `refs/heads/main`. */
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  /** True when `before` is no ancestor of `after`. */
  readonly forced: boolean;
  readonly deleted: boolean;
}

export interface GitServerOptions {
  /** Folder of the bare repositories. */
  readonly root: string;
  /** Called for each ref that a push moved, one after the other, after Git has its answer. A failure goes to the log. */
  readonly onPush?: (push: PushedRef) => Promise<void> | void;
  /** Sees each request before Git does; true when it has answered it itself. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
  readonly log?: Log;
}

export interface CreatedRepository {
  /** Clone URL. */
  readonly url: string;
  /** The bare repository on disk. */
  readonly path: string;
}

export interface LocalGitServer {
  /** As `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Requests answered or under way since the start. */
  readonly requests: number;
  /** Bytes of answer bodies since the start. */
  readonly bytesSent: number;
  /** A bare repository that serves partial fetches and takes pushes; an existing one of this name is kept. */
  createRepository(name: string): Promise<CreatedRepository>;
  /** Waits for running `onPush` calls; ends requests under way. */
  close(): Promise<void>;
}

const repositoryName = /^(?!.*\.\.)[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)*$/;
const services = /^\/(.+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** Git's smart HTTP protocol on loopback, for local use and tests: unless `intercept` refuses, anyone on this machine may read and push. */
export async function startGitServer({ root, onPush, intercept, log = silentLog }: GitServerOptions): Promise<LocalGitServer> {
  const git = await findGit();
  const pushes = createPushQueue({ git, log, onPush });
  const counts = { requests: 0, bytes: 0 };
  let url = "";

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if ((await intercept?.(request, response)) === true) return;
    const { pathname, search } = new URL(request.url ?? "/", "http://127.0.0.1");
    const [, name = "", service = ""] = services.exec(pathname) ?? [];
    if (!repositoryName.test(name)) {
      response.writeHead(404).end();
      return;
    }
    const path = join(root, `${name}.git`);
    const exchange = {
      request,
      response,
      root,
      path: `/${name}.git/${service}`,
      query: search.slice(1),
      onBytes: (bytes: number) => {
        counts.bytes += bytes;
      },
    };
    if (service !== "git-receive-pack") return git.serve({ ...exchange, beforeEnd: async () => undefined });
    return pushes.run({ repository: name, url: `${url}/${name}.git`, path }, (beforeEnd) =>
      git.serve({ ...exchange, beforeEnd }),
    );
  };

  const server = createServer((request, response) => {
    counts.requests += 1;
    answer(request, response).catch((error: unknown) => {
      log.error("git-server.failed", { path: request.url, error });
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    get requests() {
      return counts.requests;
    },
    get bytesSent() {
      return counts.bytes;
    },
    async createRepository(name) {
      if (!repositoryName.test(name) || name.endsWith(".git")) {
        throw new DriftlessError(
          "config",
          `${JSON.stringify(name)} is not a repository name: use letters, digits and ._- in parts like acme/shop`,
        );
      }
      const path = join(root, `${name}.git`);
      await git.run("init", "--quiet", "--bare", "--initial-branch=main", path);
      for (const key of ["http.receivepack", "uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"]) {
        await git.run("-C", path, "config", key, "true");
      }
      // Any branch may be deleted, as by an administrator: what reads from here has to bear it.
      await git.run("-C", path, "config", "receive.denyDeleteCurrent", "ignore");
      return { url: `${url}/${name}.git`, path };
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await pushes.idle();
    },
  };
}

interface PushTarget {
  readonly repository: string;
  readonly url: string;
  readonly path: string;
}

interface PushQueue {
  /** Runs one push to a repository after the other, so that each knows which refs it moved. */
  run(target: PushTarget, serve: (beforeEnd: () => Promise<void>) => Promise<void>): Promise<void>;
  /** When every `onPush` so far has returned. */
  idle(): Promise<void>;
}

function createPushQueue({
  git,
  log,
  onPush,
}: {
  readonly git: Git;
  readonly log: Log;
  readonly onPush: GitServerOptions["onPush"];
}): PushQueue {
  const last = new Map<string, Promise<void>>();
  let reports: Promise<void> = Promise.resolve();

  const report = (push: PushedRef): void => {
    reports = reports
      .then(() => onPush?.(push))
      .catch((error: unknown) => log.error("git-server.on-push-failed", { ref: push.ref, error }));
  };
  const push = async (target: PushTarget, serve: (beforeEnd: () => Promise<void>) => Promise<void>): Promise<void> => {
    const before: Refs = await git.refs(target.path).catch(() => new Map());
    let moved: readonly PushedRef[] = [];
    const compare = async (): Promise<void> => {
      const after: Refs = await git.refs(target.path).catch(() => before);
      moved = await movedRefs(git, target, { before, after });
    };
    try {
      await serve(compare);
    } finally {
      // The client may be gone before it heard the end: what it moved is moved all the same.
      if (moved.length === 0) await compare();
      moved.forEach(report);
    }
  };
  return {
    run(target, serve) {
      const turn = (last.get(target.path) ?? Promise.resolve()).then(() => push(target, serve));
      last.set(
        target.path,
        turn.catch(() => undefined),
      );
      return turn;
    },
    idle: async () => {
      await Promise.all(last.values());
      await reports;
    },
  };
}

async function movedRefs(
  git: Git,
  target: PushTarget,
  { before, after }: { readonly before: Refs; readonly after: Refs },
): Promise<PushedRef[]> {
  const { repository, url, path } = target;
  const moved: PushedRef[] = [];
  for (const ref of new Set([...before.keys(), ...after.keys()])) {
    const from = before.get(ref);
    const to = after.get(ref);
    if (from === to) continue;
    const none = "0".repeat((from ?? to ?? "").length);
    const forced = from !== undefined && to !== undefined && !(await git.isAncestor(path, { ancestor: from, descendant: to }));
    moved.push({ repository, url, ref, before: from ?? none, after: to ?? none, forced, deleted: to === undefined });
  }
  return moved;
}
