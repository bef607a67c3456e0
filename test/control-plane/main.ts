import { startControlPlane } from "./control-plane.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);

const controlPlane = await startControlPlane({ progress: say });
say(`
kubeconfig: ${controlPlane.kubeconfig}  (contexts: admin, limited)

  export KUBECONFIG=${controlPlane.kubeconfig}
  ${controlPlane.kubectl} get nodes
  ${controlPlane.kubectl} create deployment web --image=nginx:1.27 --replicas=3

Images run simulated; one whose tag contains "broken" never becomes ready.
To run tests against it: DRIFTLESS_TEST_KUBECONFIG=${controlPlane.kubeconfig} npm test
Ctrl-C stops it and removes everything.`);

// The parts do not keep this process alive; waiting for a signal does.
const waiting = setInterval(() => {}, 60_000);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    clearInterval(waiting);
    void controlPlane.stop().then(() => say("stopped"));
  });
}
