import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureRenderHelper } from "../cli/local/binaries.ts";
import { applicationNames } from "./applications.ts";
import { type BenchCluster, startCluster } from "./cluster.ts";
import { type Fleet, startFleet, writeFiles } from "./fleet.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";
import { type LargeFleet, startLargeFleet } from "./large-fleet.ts";

/** Everything that the cases run on: a control plane, a fleet, and the same applications again for kubectl. */
export interface Bed extends Fleet {
  readonly kubectl: Kubectl;
  /** Applications that Driftless delivers. */
  readonly names: readonly string[];
  /** As many with the same content, in namespaces of their own, for kubectl. */
  readonly kubectlNames: readonly string[];
  /** How many objects the clusters have whose sweeps are measured. */
  readonly objects: readonly number[];
  /** Writes files for kubectl. */
  writeForKubectl(files: Readonly<Record<string, string>>): Promise<void>;
  /** Another fleet on the same cluster, with an installation of its own; whoever starts it closes it. */
  startFleet(): Promise<Fleet>;
  /** One more cluster, with nothing in it; undefined where it would be the same one again. Ends with the bed. */
  emptyCluster(): Promise<BenchCluster | undefined>;
  /**
   * A fleet on a cluster of its own, whose audit log it gets: everywhere else nothing but sweeps is to find drift. Undefined where
   * clusters are not started here. Ends with the bed.
   */
  auditedFleet(): Promise<Fleet | undefined>;
  /** The fleet that grows from case to case; ends with the bed. */
  largeFleet(): Promise<LargeFleet>;
}

export interface BedOptions {
  readonly applications: number;
  readonly objects: readonly number[];
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Starts it all; what was started is ended again when that fails half-way. */
export async function startBed({ applications, objects, progress, signal }: BedOptions): Promise<Bed> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0)) await end();
  };
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    closing.unshift(() => part.close());
    return part;
  };
  try {
    const root = await mkdtemp(join(tmpdir(), "driftless-bench-kubectl-"));
    closing.unshift(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
    const renderHelper = await ensureRenderHelper(progress);
    const cluster = keep(await startCluster({ progress, signal }));
    const another = () => startFleet({ cluster, renderHelper, progress, signal });
    const fleet = keep(await another());

    const names = applicationNames({ prefix: "app", count: applications });
    const kubectlNames = applicationNames({ prefix: "kubectl", count: applications });
    progress(`making ${names.length + kubectlNames.length} namespaces`);
    await cluster.createNamespaces([...names, ...kubectlNames]);

    const [folder, home] = [join(root, "kubectl"), join(root, "home")];
    await Promise.all([mkdir(folder), mkdir(home)]);
    const { kubectl: binary, kubeconfig } = cluster.controlPlane;
    let large: Promise<LargeFleet> | undefined;
    return {
      ...fleet,
      cluster,
      kubectl: createKubectl({ binary, kubeconfig, folder, home }),
      names,
      kubectlNames,
      objects,
      writeForKubectl: (files) => writeFiles(folder, files),
      startFleet: another,
      async emptyCluster() {
        return cluster.controlPlane.folder === undefined ? undefined : keep(await startCluster({ progress, signal }));
      },
      async auditedFleet() {
        if (cluster.controlPlane.folder === undefined) return undefined;
        const audited = keep(await startCluster({ progress, signal, audit: true }));
        return keep(await startFleet({ cluster: audited, renderHelper, progress, signal }));
      },
      largeFleet: () => (large ??= another().then((started) => startLargeFleet(keep(started)))),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
