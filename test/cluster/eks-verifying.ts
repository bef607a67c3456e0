import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureGoBinary } from "../../scripts/go-binary.ts";
import { startChild } from "../control-plane/child.ts";
import { until } from "../control-plane/until.ts";

/** The verifier of EKS' own authenticator, as the authentication webhook of an API server. */
export interface EksVerifier {
  tokenReviewUrl(clusterName: string): string;
  close(): Promise<void>;
}

/** Builds the verifier where it is not built yet, which takes half a minute; `sts` redeems its tokens, in place of AWS. */
export async function startEksVerifier({ sts }: { readonly sts: string }): Promise<EksVerifier> {
  const command = await ensureGoBinary({
    name: "eks-verifier",
    module: path.join(import.meta.dirname, "..", "control-plane", "eks-verifier"),
    about: "1 minute",
    quickBuild: true,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const folder = await mkdtemp(path.join(tmpdir(), "driftless-eks-verifier-"));
  const logFile = path.join(folder, "log");
  const child = startChild({ name: "eks-verifier", command, args: ["--sts", sts], home: folder, logFile });
  const close = async () => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const url = await until(async () => /^http:\S+(?=\n)/.exec(await readFile(logFile, "utf8"))?.[0], {
      what: "the verifier to listen",
      guard: () => child.assertRunning(),
    });
    return { tokenReviewUrl: (clusterName) => `${url}/token-review/${encodeURIComponent(clusterName)}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}
