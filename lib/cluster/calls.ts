import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { GroupVersionKind } from "../model/resource.ts";
import type { Answer } from "./classify.ts";
import type { ResourceName, ResourceType, Traffic } from "./cluster.ts";
import { createDiscoveryCache, type Discovery, type DiscoveryCache, discoveryAccept, parseDiscovery } from "./discovery.ts";
import type { HttpRequest } from "./exchange.ts";
import { refusedError } from "./refused.ts";
import type { Identity, Transport } from "./transport.ts";
import { parseAnswer } from "./wire.ts";

export interface CallsDeps {
  readonly transport: Transport;
  /** Shared by the readers and writers of one API server; each has its own when absent. */
  readonly discovery?: DiscoveryCache;
  /** As whom its requests are made; as the connection says when absent. */
  readonly identity?: Identity;
}

export interface FindOptions extends CallOptions {
  readonly fresh?: boolean;
  /** Take another version of the kind when the one asked for is not served. */
  readonly anyVersion?: boolean;
}

/** What the verbs of one reader or writer stand on; counts their requests. */
export interface Calls {
  readonly host: string;
  readonly identity: Identity | undefined;
  readonly requests: number;
  readonly traffic: Traffic;
  /** Adds to its traffic; bytes are counted without it. */
  count(more: Partial<Pick<Traffic, "pages" | "dryRuns">>): void;
  send(request: HttpRequest, options: CallOptions): Promise<Answer>;
  /** Undefined only when the server said so just now; throws `cluster` when the group's own server is down. */
  find(gvk: GroupVersionKind, options: FindOptions): Promise<ResourceType | undefined>;
  /** The type of a plural name; undefined like `find`. */
  findNamed(name: ResourceName, options: CallOptions): Promise<ResourceType | undefined>;
  /** What the server serves now. */
  discover(options: CallOptions): Promise<Discovery>;
}

export function createCalls({ transport, identity, discovery: cache = createDiscoveryCache() }: CallsDeps): Calls {
  const by = identity?.key ?? "";
  let requests = 0;
  const onRequest = () => {
    requests++;
  };
  const traffic = { pages: 0, dryRuns: 0, bytes: 0 };
  const send = async (request: HttpRequest, { signal }: CallOptions): Promise<Answer> => {
    const answer = await transport.request(request, { onRequest, identity, ...(signal ? { signal } : {}) });
    traffic.bytes += answer.body.length;
    return answer;
  };

  async function read(): Promise<Discovery> {
    const documents = ["/api", "/apis"].map(async (path) => {
      const answer = await send({ method: "GET", path, accept: discoveryAccept }, {});
      if (answer.status !== 200)
        throw refusedError({ verb: "get", subject: `what it serves (${path})`, host: transport.host, answer });
      return parseAnswer(answer.body);
    });
    return parseDiscovery(await Promise.all(documents));
  }

  async function find(gvk: GroupVersionKind, { fresh = false, anyVersion = false, signal }: FindOptions) {
    const pick = (discovery: Discovery) => (anyVersion ? discovery.anyVersion(gvk) : discovery.exact(gvk));
    const load = (again: boolean) => cache.load({ fresh: again, read, by, ...(signal ? { signal } : {}) });
    let { discovery, cached } = await load(fresh);
    if (cached && pick(discovery) === undefined) ({ discovery } = await load(true));
    const type = pick(discovery);
    if (type === undefined && discovery.unreachable(gvk.group)) {
      throw new DriftlessError("cluster", `The server behind API group ${gvk.group} does not answer; check its APIService`, {
        retryable: true,
        facts: { host: transport.host, group: gvk.group },
      });
    }
    return type;
  }

  return {
    host: transport.host,
    identity,
    get requests() {
      return requests;
    },
    traffic,
    count({ pages = 0, dryRuns = 0 }) {
      traffic.pages += pages;
      traffic.dryRuns += dryRuns;
    },
    send,
    find,
    async findNamed(name, options) {
      const { discovery, cached } = await cache.load({ ...options, fresh: false, read, by });
      const type = discovery.named(name);
      if (type !== undefined || !cached) return type;
      return (await cache.load({ ...options, fresh: true, read, by })).discovery.named(name);
    },
    discover: async (options) => (await cache.load({ ...options, fresh: true, read, by })).discovery,
  };
}

/** The path of a collection, or of one object of it. */
export function pathOf(type: ResourceType, { namespace, name }: { readonly namespace: string; readonly name?: string }): string {
  const root = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace !== "" ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${scope}/${type.resource}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}
