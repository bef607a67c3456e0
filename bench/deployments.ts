import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { DriftlessError, messageOf } from "../lib/errors.ts";
import type { ApiAccess } from "../test/control-plane/api.ts";
import { containerName, markVariable } from "./applications.ts";
import { type Expectation, expectAll } from "./expectation.ts";

/** What a watch last said of one Deployment. */
export interface SeenDeployment {
  readonly mark: string;
  readonly generation: number;
  /** The generation that its controller has acted on. */
  readonly observed: number;
}

export type Holds = (deployment: SeenDeployment | undefined, name: string) => boolean;

export interface Wanted {
  /** For the error. */
  readonly what: string;
  readonly holds: Holds;
  /** Asked when the time is up: what may be the reason. */
  readonly hint?: () => string;
  readonly withinMs?: number;
}

/** A watch on all Deployments, whose names are each used once: it tells of a change as soon as the API server does. */
export interface DeploymentWatch {
  /**
   * Waits until each Deployment of these names is as wanted (undefined: it is not there); the time of the last one, in
   * milliseconds of `performance.now()`.
   */
  until(names: readonly string[], wanted: Wanted): Promise<number>;
  /** A Deployment as the watch last saw it. */
  get(name: string): SeenDeployment | undefined;
  close(): void;
}

interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly metadata: { readonly name: string; readonly generation?: number };
    readonly status?: { readonly observedGeneration?: number };
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
  };
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

interface Waiter {
  readonly names: ReadonlySet<string>;
  readonly holds: Holds;
  readonly expectation: Expectation;
}

export async function watchDeployments(
  access: ApiAccess,
  { signal }: { readonly signal: AbortSignal },
): Promise<DeploymentWatch> {
  const live = new Map<string, SeenDeployment>();
  const waiters = new Set<Waiter>();
  let closed = false;

  const look = (name: string): void => {
    for (const waiter of waiters) {
      if (!waiter.expectation.isOpen) waiters.delete(waiter);
      else if (waiter.names.has(name) && waiter.holds(live.get(name), name)) waiter.expectation.seen(name);
    }
  };
  const onLine = (line: string): void => {
    const { type, object } = JSON.parse(line) as WatchEvent;
    if (type === "ERROR") return onEnd(new DriftlessError("cluster", `the watch on Deployments ended: ${line}`));
    const { name } = object.metadata;
    if (type === "DELETED") live.delete(name);
    else live.set(name, seenDeployment(object));
    look(name);
  };
  const onEnd = (error: Error): void => {
    if (closed) return;
    for (const { expectation } of waiters) expectation.fail(error);
  };

  const response = await openWatch(access, signal);
  readLines(response, { onLine, onEnd });
  return {
    until(names, { holds, ...expected }) {
      const expectation = expectAll(names, { ...expected, signal });
      waiters.add({ names: new Set(names), holds, expectation });
      for (const name of names) look(name);
      return expectation.all;
    },
    get: (name) => live.get(name),
    close() {
      closed = true;
      response.destroy();
    },
  };
}

function seenDeployment({ metadata, spec, status }: WatchEvent["object"]): SeenDeployment {
  const container = spec.template.spec.containers.find(({ name }) => name === containerName);
  return {
    mark: container?.env?.find(({ name }) => name === markVariable)?.value ?? "",
    generation: metadata.generation ?? 0,
    observed: status?.observedGeneration ?? 0,
  };
}

function openWatch({ server, ca, token }: ApiAccess, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL("/apis/apps/v1/deployments?watch=true&timeoutSeconds=14400", server);
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ca, agent: false, signal, headers: { authorization: `Bearer ${token ?? ""}` } });
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.resume();
      reject(new DriftlessError("cluster", `a watch on Deployments was answered with ${response.statusCode}`));
    });
    outgoing.end();
  });
}

function readLines(
  response: IncomingMessage,
  { onLine, onEnd }: { readonly onLine: (line: string) => void; readonly onEnd: (error: Error) => void },
): void {
  let rest = "";
  response.setEncoding("utf8");
  response.on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  const end = (cause?: unknown): void =>
    onEnd(new DriftlessError("cluster", `the watch on Deployments ended${cause ? `: ${messageOf(cause)}` : ""}`, { cause }));
  response.once("end", () => end());
  response.once("error", end);
}
