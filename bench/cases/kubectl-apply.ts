import type { Bed } from "../bed.ts";
import type { KubectlRun } from "../kubectl.ts";

/** Applies all of kubectl's applications in one process. */
export function kubectlApply({ kubectl, signal }: Bed): Promise<KubectlRun> {
  return kubectl(["apply", "--server-side", "--force-conflicts", "-R", "-f", "apps"], { exitCodes: [0], signal });
}

/** Compares all of kubectl's applications in one process; it must find no difference. */
export function kubectlDiff({ kubectl, signal }: Bed): Promise<KubectlRun> {
  return kubectl(["diff", "--server-side", "-R", "-f", "apps"], { exitCodes: [0], signal });
}
