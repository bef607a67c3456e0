import { DriftlessError, isDriftlessError } from "../errors.ts";
import type { Cluster } from "../model/application.ts";
import type { CallOptions } from "../model/call.ts";
import type { Project } from "../model/project.ts";
import type { Log } from "../telemetry/log.ts";
import { abortable } from "./abortable.ts";
import type { Clusters, OpenOptions } from "./cluster.ts";
import { type ConnectDeps, connect } from "./connect.ts";
import { createDiscoveryCache, type DiscoveryCache } from "./discovery.ts";
import { createIdentities, type Identities } from "./identities.ts";
import { type ClusterDeps, createClusterReader, createClusterWriter } from "./kubernetes.ts";
import { createTransport, type Transport } from "./transport.ts";

export interface ClustersDeps extends ConnectDeps {
  /** The definition of a cluster by name, as of now; undefined when the configuration has none. */
  readonly find: (name: string, options: CallOptions) => Promise<Cluster | undefined>;
  /** A project by name, as of now; undefined when the configuration has none. */
  readonly project: (name: string, options: CallOptions) => Promise<Project | undefined>;
  readonly log: Log;
}

/** Clusters of the configuration, opened on first use and kept open for the life of the process. */
export interface OpenClusters extends Clusters {
  /** Drops all connections. */
  close(): void;
}

/** One API server; its sockets and what it serves are shared by all identities, and nothing else is. */
interface Server {
  readonly transport: Transport;
  readonly discovery: DiscoveryCache;
  readonly identities: Identities;
}

interface Open {
  readonly definition: string;
  readonly server: Promise<Server>;
}

export function createClusters(deps: ClustersDeps): OpenClusters {
  const cache = new Map<string, Open>();
  /** When a cluster did not answer; until it does again, it is not waited for. */
  const silentSince = new Map<string, number>();

  /** What a reader or writer of one caller stands on. */
  async function opened(name: string, options: OpenOptions): Promise<ClusterDeps> {
    // Read at once: both stand in one row.
    const [project, cluster] = await Promise.all([projectOf(options), deps.find(name, options)]);
    if (cluster === undefined) throw unknownCluster(name);
    const { transport, discovery, identities } = await serverOf(cluster, options);
    const { identity, rights } = identities.of({ project, session: options.session });
    return { transport, discovery, identity, rights, ...(project === undefined ? {} : { scope: { project, cluster: name } }) };
  }

  /** A project that is asked for and cannot be told is never Driftless itself. */
  async function projectOf(options: OpenOptions): Promise<Project | undefined> {
    if (!("project" in options)) return undefined;
    const { project: name } = options;
    if (typeof name !== "string" || name.trim() === "") {
      throw new DriftlessError("refused", "A cluster is not opened for a project without a name: name the application's project");
    }
    const project = await deps.project(name, options);
    if (project?.name === name) return project;
    throw new DriftlessError("not-found", `The configuration has no project ${JSON.stringify(name)}`);
  }

  function serverOf(cluster: Cluster, { session, signal }: OpenOptions): Promise<Server> {
    const { name } = cluster;
    const definition = JSON.stringify(cluster);
    let entry = cache.get(name);
    if (entry?.definition !== definition) {
      entry = { definition, server: open(cluster, { session, forget: () => forget(name, definition) }) };
      cache.set(name, entry);
      entry.server.catch(() => forget(name, definition));
    }
    return abortable(entry.server, signal);
  }

  /** The next use asks for the endpoint and authority again: both change when a cluster is replaced. */
  function forget(name: string, definition: string): void {
    if (cache.get(name)?.definition === definition) cache.delete(name);
  }

  async function open(
    cluster: Cluster,
    { session, forget: drop }: { readonly session: string | undefined; readonly forget: () => void },
  ): Promise<Server> {
    const { name } = cluster;
    const { connection, authorizeAs } = await connect(cluster, session, deps);
    const seen = new Set<string>();
    const onWarning = (warning: string) => {
      if (seen.has(warning) || seen.size >= maxWarnings) return;
      seen.add(warning);
      deps.log.warn("cluster.warning", { cluster: name, warning });
    };
    deps.log.info("cluster.opened", { cluster: name, server: connection.server });
    const transport = watched(createTransport({ connection, onWarning }), {
      isSilent: () => deps.clock.now().getTime() - (silentSince.get(name) ?? Number.NEGATIVE_INFINITY) < silenceKeptMs,
      onAnswer: () => void silentSince.delete(name),
      onSilence() {
        silentSince.set(name, deps.clock.now().getTime());
        drop();
      },
    });
    const identities = createIdentities({ cluster, clock: deps.clock, authorizeAs });
    return { transport, discovery: createDiscoveryCache(), identities };
  }

  return {
    reader: async (name, options = {}) => createClusterReader(await opened(name, options)),
    writer: async (name, options = {}) => createClusterWriter(await opened(name, options)),
    close() {
      for (const { server } of cache.values()) {
        server.then(
          ({ transport }) => transport.close(),
          () => undefined,
        );
      }
      cache.clear();
    },
  };
}

/** What stops a removal for which the cluster's entry went too soon as well. */
function unknownCluster(name: string): DriftlessError {
  const advice = "put its entry back into clusters of driftless.yaml until nothing is left of the applications there";
  return new DriftlessError("not-found", `The configuration has no cluster ${JSON.stringify(name)}: ${advice}`, {
    facts: { unknownCluster: name },
  });
}

/** Different warnings of one API server that are logged, each once. */
const maxWarnings = 100;

/** So long, and until it answers, a cluster that did not answer gets one short try a request: it shall not hold up who asks next. */
const silenceKeptMs = 60_000;

interface Watch {
  readonly isSilent: () => boolean;
  readonly onAnswer: () => void;
  readonly onSilence: () => void;
}

function watched(transport: Transport, { isSilent, onAnswer, onSilence }: Watch): Transport {
  return {
    async request(request, options = {}) {
      try {
        const answer = await transport.request(request, isSilent() ? { ...options, hurried: true } : options);
        onAnswer();
        return answer;
      } catch (error) {
        // Others are of who asks: an identity that could not be had, a caller that went away.
        if (isDriftlessError(error, "cluster") && error.facts["tls"] !== undefined) onSilence();
        throw error;
      }
    },
    host: transport.host,
    get requests() {
      return transport.requests;
    },
    close: () => transport.close(),
  };
}
