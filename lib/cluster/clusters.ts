import type { EKSClient } from "@aws-sdk/client-eks";
import { DriftlessError, isDriftlessError } from "../errors.ts";
import type { Cluster } from "../model/application.ts";
import type { CallOptions } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { abortable } from "./abortable.ts";
import type { Clusters } from "./cluster.ts";
import { createDiscoveryCache, type DiscoveryCache } from "./discovery.ts";
import { createClusterReader, createClusterWriter } from "./kubernetes.ts";
import { type Connection, createTransport, type Transport } from "./transport.ts";

export interface ClustersDeps {
  /** The definition of a cluster by name, as of now; undefined when the configuration has none. */
  readonly find: (name: string, options: CallOptions) => Promise<Cluster | undefined>;
  /** File that clusters of kind `kubeconfig` are looked up in. */
  readonly kubeconfigPath?: string;
  /** A client for one region, with the credentials that open its clusters. */
  readonly eksClient: (region: string) => EKSClient;
  readonly clock: Clock;
  readonly log: Log;
}

/** Clusters of the configuration, opened on first use and kept open for the life of the process. */
export interface OpenClusters extends Clusters {
  /** Drops all connections. */
  close(): void;
}

/** One open cluster, which all its readers and writers share. */
interface Open {
  readonly definition: string;
  readonly server: Promise<{ readonly transport: Transport; readonly discovery: DiscoveryCache }>;
}

export function createClusters(deps: ClustersDeps): OpenClusters {
  const cache = new Map<string, Open>();

  async function opened(name: string, options: CallOptions) {
    const cluster = await deps.find(name, options);
    if (cluster === undefined) throw new DriftlessError("not-found", `The configuration has no cluster ${JSON.stringify(name)}`);
    const definition = JSON.stringify(cluster);
    let entry = cache.get(name);
    if (entry?.definition !== definition) {
      entry = { definition, server: open(cluster, () => forget(name, definition)) };
      cache.set(name, entry);
      entry.server.catch(() => forget(name, definition));
    }
    return abortable(entry.server, options.signal);
  }

  /** The next use asks for the endpoint and authority again: both change when a cluster is replaced. */
  function forget(name: string, definition: string): void {
    if (cache.get(name)?.definition === definition) cache.delete(name);
  }

  async function open(cluster: Cluster, onUnreachable: () => void) {
    const connection = await connect(cluster, deps);
    const seen = new Set<string>();
    const onWarning = (warning: string) => {
      if (seen.has(warning) || seen.size >= maxWarnings) return;
      seen.add(warning);
      deps.log.warn("cluster.warning", { cluster: cluster.name, warning });
    };
    deps.log.info("cluster.opened", { cluster: cluster.name, server: connection.server });
    const transport = createTransport({ connection, onWarning });
    return { transport: watched(transport, onUnreachable), discovery: createDiscoveryCache() };
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

/** Different warnings of one API server that are logged, each once. */
const maxWarnings = 100;

/** Opening is shared by all who ask, so it is not bound to the signal of the first. */
async function connect(cluster: Cluster, deps: ClustersDeps): Promise<Connection> {
  switch (cluster.kind) {
    case "kubeconfig": {
      if (deps.kubeconfigPath === undefined) {
        throw new DriftlessError("cluster", `Cluster ${cluster.name} is of kind kubeconfig, and no kubeconfig file is set`);
      }
      const { openKubeconfig } = await import("./kubeconfig.ts");
      return openKubeconfig({ path: deps.kubeconfigPath, context: cluster.context, clock: deps.clock });
    }
    case "eks": {
      const { openEks } = await import("./eks.ts");
      return openEks(cluster.clusterName, { client: deps.eksClient(cluster.region), clock: deps.clock });
    }
    default:
      return cluster satisfies never;
  }
}

function watched(transport: Transport, onUnreachable: () => void): Transport {
  return {
    async request(request, options) {
      try {
        return await transport.request(request, options);
      } catch (error) {
        if (isDriftlessError(error, "cluster") && error.facts["aborted"] !== true) onUnreachable();
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
