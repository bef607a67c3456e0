import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isDriftlessError, messageOf } from "../lib/errors.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { startControlPlane } from "../test/control-plane/control-plane.ts";
import { ensureRenderHelper } from "./local/binaries.ts";
import { git } from "./local/git-client.ts";
import { startGitServer } from "./local/git-server.ts";
import { type Installation, startInstallation } from "./local/installation.ts";
import { openLogFile } from "./local/log-file.ts";
import { narrate, narrateEvent } from "./local/narrate.ts";
import { pushDelivery } from "./local/push-event.ts";
import { announceRunning } from "./local/running.ts";
import { prepareSample } from "./local/sample-repository.ts";

const usage = `npm start [-- OPTION ...]

Runs Driftless on this machine: a real Kubernetes control plane with simulated nodes, the functions, and what stands
for AWS around them; makes a sample repository, pushes it, syncs it. Ctrl-C ends everything.

  --folder DIR       where the sample repository is kept (default .driftless)
  --sweep SECONDS    seconds between sweeps (default 15)
  --once             end after the first sync; exit status 1 when an environment is not Healthy then
  --verbose          the functions' own log lines instead of sentences
`;

const { values } = parseArgs({
  options: {
    folder: { type: "string", default: ".driftless" },
    sweep: { type: "string", default: "15" },
    once: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const sweepSeconds = Number(values.sweep);
const ageKeyFile = process.env["DRIFTLESS_SOPS_AGE_KEY_FILE"];
const began = performance.now();
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => ending.abort());

/** One line with the seconds since the start. */
function say(line: string): void {
  process.stdout.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
}

/** Exit status; what an interrupt before the first sync's end would give in a shell. */
const interrupted = 130;

/** Returns the exit status. */
async function main(): Promise<number> {
  const closing: (() => Promise<unknown>)[] = [];
  const log = jsonLog({ level: "warn", write: (line) => process.stderr.write(line) });
  try {
    say("finding the control plane (etcd, kube-apiserver, controllers, simulated nodes) and the render helper");
    const renderHelper = await ensureRenderHelper(say);
    const controlPlane = await startControlPlane({ progress: say, log, audit: true });
    closing.unshift(() => controlPlane.stop());
    say(`Kubernetes runs at ${controlPlane.server}`);
    if (ending.signal.aborted) return interrupted;

    const folder = resolve(values.folder);
    await mkdir(folder, { recursive: true });
    const secret = randomBytes(20).toString("hex");
    let webhook: string | undefined;
    const server = await startGitServer({
      root: join(folder, "server"),
      log,
      onPush: async (push) => {
        if (webhook === undefined) return;
        const { body, headers } = pushDelivery(push, { secret });
        const answer = await fetch(webhook, { method: "POST", body, headers });
        if (!answer.ok) say(`the webhook answered ${answer.status}: ${await answer.text()}`);
      },
    });
    closing.unshift(() => server.close());
    const sample = await prepareSample({ server, folder: join(folder, "guestbook") });
    const logFile = openLogFile(join(folder, "functions.log"));
    closing.unshift(() => Promise.resolve(logFile.close()));
    const installation = await startInstallation({
      kubeconfig: controlPlane.installationKubeconfig,
      renderHelper,
      configRepository: sample.url,
      webhookSecret: secret,
      ...(ageKeyFile ? { sops: { ageKeys: await readFile(ageKeyFile, "utf8") } } : {}),
      ...(controlPlane.auditPort === undefined ? {} : { audit: { port: controlPlane.auditPort, context: "admin" } }),
      log,
      sweepSeconds,
      onLine: (line) => {
        logFile.write(line);
        const sentence = values.verbose ? line : narrate(line);
        if (sentence !== undefined) say(sentence);
      },
      onEvent: (event) => say(narrateEvent(event)),
    });
    closing.unshift(() => installation.close());
    webhook = `${installation.url}/webhook`;
    const forget = await announceRunning(
      {
        pid: process.pid,
        api: `${installation.url}/api`,
        kubeconfig: controlPlane.kubeconfig,
        kubectl: controlPlane.kubectl,
        queueUrl: installation.queueUrl,
        log: logFile.path,
      },
      process.env,
    );
    closing.unshift(forget);
    say(`webhook ${webhook}, API ${installation.url}/api, repository ${sample.folder}`);

    if (sample.isNew) await git(sample.folder, "push", "--quiet", "--set-upstream", "origin", "main");
    else await installation.sweep();
    const healthy = await firstSync(installation);
    if (ending.signal.aborted) return interrupted;
    if (values.once) return healthy ? 0 : 1;
    process.stdout.write(nextSteps(values.folder));
    await new Promise<void>((resolve) => ending.signal.addEventListener("abort", () => resolve(), { once: true }));
    return 0;
  } finally {
    say("stopping");
    for (const close of closing) await close();
    say("stopped; nothing is left running");
  }
}

/** Waits until every application has had its first sync, whichever way it went; true when all are Healthy. */
async function firstSync({ stores }: Installation): Promise<boolean> {
  for (let waited = 0; waited < 600 && !ending.signal.aborted; waited++) {
    const states = await stores.applications.list();
    const ended = states.filter(
      ({ lastSync, planError }) => planError !== "" || (lastSync !== undefined && lastSync.finishedAt !== ""),
    );
    if (states.length > 0 && ended.length === states.length) {
      for (const { application, health, desired } of states)
        say(`${application}: ${health.status} at ${desired?.revision.slice(0, 7) ?? "nothing"}`);
      return states.every(({ health }) => health.status === "Healthy");
    }
    if (states.length === 0 && (await stores.configuration.loadProblem()) !== "") {
      say("nothing is synced before driftless.yaml is put right, committed and pushed");
      return false;
    }
    await delay(100);
  }
  if (!ending.signal.aborted) say("the first sync has not ended yet: see `npx driftless status`");
  return false;
}

function nextSteps(folder: string): string {
  return `
Try, in another terminal here:
  npx driftless status
  npx driftless logs guestbook-qa
      ... from the push to the row: what each function did, and how long it took
  npx driftless kubectl -n guestbook-qa get pods
  npx driftless kubectl -n guestbook-qa scale deployment guestbook --replicas=5
      ... the audit log tells of it, and it is healed at once: npx driftless drift says by whom it was
  npx driftless kubectl -n guestbook-e2e scale deployment guestbook --replicas=5
      ... is only reported: e2e has \`drift: report\`
  cd ${folder}/guestbook: change newTag in overlays/qa/kustomization.yaml, git commit -am "New tag", git push
      ... only qa is rendered and synced: npx driftless history guestbook-qa
      ... a tag with "broken" in it never gets ready: watch npx driftless status, then push a good one
Ctrl-C ends everything.

`;
}

if (!Number.isInteger(sweepSeconds) || sweepSeconds < 1 || sweepSeconds > 86_400) {
  process.stderr.write(`npm start: --sweep is a whole number of seconds from 1 to 86400, not ${values.sweep}\n`);
  process.exitCode = 2;
} else if (values.help) {
  process.stdout.write(usage);
} else {
  try {
    process.exitCode = await main();
  } catch (error) {
    // A terminal's Ctrl-C goes to the programs that are being started too, and what they were asked for then fails.
    if (ending.signal.aborted) {
      process.exitCode = interrupted;
    } else {
      if (!isDriftlessError(error)) throw error;
      process.stderr.write(`npm start: ${messageOf(error)}\n`);
      process.exitCode = 1;
    }
  }
}
