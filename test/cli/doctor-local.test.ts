import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { announceRunning } from "../../cli/local/running.ts";
import type { Check } from "../../lib/model/check.ts";
import { guestbook } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { runDriftless } from "./run.ts";

suite("driftless doctor, of an installation on this machine", () => {
  let journey: Journey;
  let home: string;
  let forget: () => Promise<void>;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "driftless-doctor-"));
    journey = await startJourney();
    const commit = await journey.push(guestbook({ prefix: "doctor" }));
    await Promise.all([journey.synced("doctor-qa", commit), journey.synced("doctor-e2e", commit)]);
    await journey.sweep();
    const { kubeconfig, kubectl } = journey.controlPlane;
    const { url, queueUrl } = journey.installation;
    forget = await announceRunning(
      { pid: process.pid, api: `${url}/api`, kubeconfig, kubectl, queueUrl },
      { XDG_CACHE_HOME: home },
    );
  });
  after(async () => {
    await forget();
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", "doctor-qa", "doctor-e2e");
    await journey.close();
    await rm(home, { recursive: true, force: true });
  });

  const look = async (): Promise<{
    readonly status: number | null;
    readonly stderr: string;
    readonly checks: readonly Check[];
  }> => {
    const { status, stdout, stderr } = await runDriftless(["doctor", "--output", "json"], {
      environment: { XDG_CACHE_HOME: home },
    });
    return { status, stderr, checks: JSON.parse(stdout) as readonly Check[] };
  };

  test("what is there is looked at over the same code, what is only on AWS is said not to apply", async () => {
    const { status, stderr, checks } = await look();
    assert.deepEqual(
      checks.map((check) => [check.name, check.status]),
      [
        ["node", "ok"],
        ["clock", "skipped"],
        ["stack", "skipped"],
        ["table", "skipped"],
        ["table: backup", "skipped"],
        ["table: expiry", "skipped"],
        ["webhook: secret", "skipped"],
        ["queue", "ok"],
        ["dead letters: revisions", "ok"],
        ["webhook: address", "ok"],
        ["api", "ok"],
        ["configuration", "ok"],
        ["webhook: last delivery", "ok"],
        ["sweep of local", "ok"],
        ["snapshot key", "ok"],
        ["github: rights", "ok"],
        ["cluster local: reachable", "ok"],
        ["cluster local: version", "ok"],
        ["cluster local: identity", "ok"],
        ["cluster local: clock", "ok"],
        ["cluster local: rights of project default", "ok"],
      ],
      JSON.stringify(checks),
    );
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test("a stack that is named is looked at in place of what runs here", async () => {
    const { stdout } = await runDriftless(["doctor", "--stack", "driftless-qa", "--output", "json"], {
      environment: { XDG_CACHE_HOME: home },
    });
    const names = (JSON.parse(stdout) as readonly Check[]).map(({ name, status }) => [name, status]);
    assert.deepEqual(names, [
      ["node", "ok"],
      ["region", "fail"],
    ]);
  });

  test("a cluster that the configuration names and that is not there fails, and the exit status is 1", async () => {
    const text = guestbook({ prefix: "doctor" })["driftless.yaml"]?.replace(
      /^clusters:\n/m,
      "clusters:\n  - name: gone\n    context: nowhere\n",
    );
    const commit = await journey.push({ "driftless.yaml": text ?? null });
    const { configuration } = journey.installation.stores;
    await eventually("the commit is read", async () => (await configuration.load())?.revision === commit);
    const { status, checks } = await look();
    const broken = checks.filter((check) => check.status === "fail");
    assert.deepEqual([status, broken.map(({ name }) => name)], [1, ["cluster gone: reachable"]]);
  });
});
