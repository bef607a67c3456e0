import { access, mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { ensureGoBinary } from "../../scripts/go-binary.ts";

const kubernetesVersion = "v1.35.4";

/** Paths of the programs; without the optional ones there is an API server, and nobody who acts on its objects. */
export interface Binaries {
  readonly etcd: string;
  readonly apiServer: string;
  readonly kubectl: string;
  readonly controllers?: { readonly manager: string; readonly scheduler: string; readonly kwok: string };
}

export interface BinariesOptions {
  /** Where links to the programs may be made. */
  readonly folder: string;
  /** A folder with etcd, kube-apiserver and kubectl, taken instead of building them. */
  readonly assets?: string;
  readonly progress?: (line: string) => void;
}

/** Finds the programs of the control plane, or builds them: minutes the first time, nothing later. */
export async function findBinaries({ folder, assets, progress }: BinariesOptions): Promise<Binaries> {
  const say = progress === undefined ? {} : { progress };
  if (assets !== undefined) return fromAssets(assets, say);
  const { program, kwok } = await buildPrograms(say);
  await mkdir(folder, { recursive: true });
  const link = async (name: string) => {
    const file = path.join(folder, name);
    await symlink(program, file);
    return file;
  };
  return {
    etcd: await link("etcd"),
    apiServer: await link("kube-apiserver"),
    kubectl: await link("kubectl"),
    controllers: {
      manager: await link("kube-controller-manager"),
      scheduler: await link("kube-scheduler"),
      kwok,
    },
  };
}

/** Builds what is not built yet; for callers that want the long part done before anything else. */
export async function buildPrograms(
  say: Pick<BinariesOptions, "progress">,
): Promise<{ readonly program: string; readonly kwok: string }> {
  const [major, minor] = kubernetesVersion.slice(1).split(".");
  const version = "-X k8s.io/component-base/version";
  const program = ensureGoBinary({
    name: "control-plane",
    module: path.join(import.meta.dirname, "kubernetes"),
    ldflags: `${version}.gitVersion=${kubernetesVersion} ${version}.gitMajor=${major} ${version}.gitMinor=${minor}`,
    about: "5 minutes",
    ...say,
  });
  const [built, kwok] = await Promise.all([program, kwokBinary(say)]);
  return { program: built, kwok };
}

async function fromAssets(assets: string, say: Pick<BinariesOptions, "progress">): Promise<Binaries> {
  const manager = path.join(assets, "kube-controller-manager");
  const scheduler = path.join(assets, "kube-scheduler");
  const complete = await Promise.all([access(manager), access(scheduler)]).then(
    () => true,
    () => false,
  );
  return {
    etcd: path.join(assets, "etcd"),
    apiServer: path.join(assets, "kube-apiserver"),
    kubectl: path.join(assets, "kubectl"),
    ...(complete ? { controllers: { manager, scheduler, kwok: await kwokBinary(say) } } : {}),
  };
}

function kwokBinary(say: Pick<BinariesOptions, "progress">): Promise<string> {
  return ensureGoBinary({
    name: "kwok",
    module: path.join(import.meta.dirname, "kwok"),
    about: "2 minutes",
    quickBuild: true,
    ...say,
  });
}
