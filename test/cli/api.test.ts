import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { announceRunning } from "../../cli/local/running.ts";
import type { DriftRow } from "../../lib/model/drift.ts";
import type { SyncRecord } from "../../lib/model/sync.ts";
import { configuration, guestbook } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { runDriftless } from "./run.ts";

describe("driftless asks the API", () => {
  const [qa, e2e] = ["cli-qa", "cli-e2e"];
  let journey: Journey;
  let commit: string;

  /** With the API of the journey; the lines of the table, single-spaced. */
  const table = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { status, stdout, stderr } = await ask(...args);
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout.trimEnd().split("\n");
  };
  const ask = (...args: readonly string[]) =>
    runDriftless(args, { environment: { DRIFTLESS_API: `${journey.installation.url}/api` } });
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { status, stdout, stderr } = await ask(...args, "--output", "json");
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as T;
  };

  before(async () => {
    journey = await startJourney();
    commit = await journey.push(guestbook({ prefix: "cli", drift: "report" }));
    await Promise.all([journey.synced(qa, commit), journey.synced(e2e, commit)]);
    await eventually("the rows are written", async () =>
      (await journey.installation.stores.applications.list()).every(({ lastSync }) => lastSync?.phase === "Succeeded"),
    );
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", qa, e2e);
    await journey.close();
  });

  test("status: a line an application, with sync, health and revision", async () => {
    const [head, ...lines] = await table("status");
    assert.match(head ?? "", /^APPLICATION +CLUSTER +SYNC +HEALTH +REVISION +DRIFT +LAST SYNC +MESSAGE$/);
    const revision = commit.slice(0, 7);
    assert.deepEqual(
      lines.map((line) => line.split(/ {2,}/).slice(0, 6)),
      [
        [e2e, "local", "Synced", "Healthy", revision, "0"],
        [qa, "local", "Synced", "Healthy", revision, "0"],
      ],
    );
    assert.match(lines[0] ?? "", /Succeeded \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const items = await json<readonly { name: string; sync: string; revision: string; removed: boolean }[]>("status");
    assert.deepEqual(
      items.map(({ name, sync, revision: at, removed }) => [name, sync, at, removed]),
      [
        [e2e, "Synced", commit, false],
        [qa, "Synced", commit, false],
      ],
    );
  });

  test("history: the syncs of an application, newest first", async () => {
    const [head, line, ...more] = await table("history", qa);
    assert.match(
      head ?? "",
      /^STARTED +SECONDS +PHASE +TRIGGER +ATTEMPT +REVISION +CREATED +CONFIGURED +UNCHANGED +PRUNED +FAILED +ERRORS +NOTES$/,
    );
    assert.match(
      line ?? "",
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d +\\d+\\.\\d +Succeeded +push +1 +${commit.slice(0, 7)} +3 +0 +0 +0 +0 +- +-$`,
      ),
    );
    assert.deepEqual(more, []);
    const [record] = await json<readonly SyncRecord[]>("history", qa);
    assert.deepEqual([record?.application, record?.revision, record?.counts.created], [qa, commit, 3]);
  });

  test("an application or a cluster that is not there is said to be none, whatever is asked of it", async () => {
    for (const command of ["history", "drift"]) {
      const { status, stderr } = await ask(command, "nobody");
      assert.deepEqual([status, stderr], [1, "driftless: there is no application nobody\n"]);
    }
    const { status, stderr } = await ask("sweeps", "moon");
    assert.deepEqual([status, stderr], [1, 'driftless: there is no cluster "moon": the configuration has local\n']);
  });

  test("history: a limit that is none is refused by the API's own words", async () => {
    const { status, stderr } = await ask("history", qa, "--limit", "0");
    assert.deepEqual([status, stderr], [1, "driftless: limit must be a whole number from 1 to 500\n"]);
  });

  test("drift: field, was, is and by whom, as a table and as JSON", async () => {
    assert.deepEqual(await table("drift"), ["no drift"]);
    await journey.kubectl("scale", "deployment", "guestbook", "-n", qa, "--replicas=4");
    await journey.sweep();
    const [head, line, ...more] = await table("drift", qa);
    assert.match(head ?? "", /^APPLICATION +OBJECT +KIND +FIELD +WAS -> IS +WHO +WHEN +STATE$/);
    assert.match(
      line ?? "",
      new RegExp(`^${qa} +Deployment ${qa}/guestbook +changed +spec\\.replicas +1 -> 4 +kubectl +\\d.* open$`),
    );
    assert.deepEqual(more, []);
    const rows = await json<readonly DriftRow[]>("drift");
    assert.deepEqual(
      rows.map(({ application, field, desired, live, healedAt }) => [application, field, desired, live, healedAt]),
      [[qa, "spec.replicas", 1, 4, ""]],
    );
    assert.deepEqual(await table("drift", e2e), ["no drift"]);
    const [, , second] = await table("status");
    assert.deepEqual(second?.split(/ {2,}/)[5], "1");
  });

  test("drift: what was healed is shown for as long as --since says", async () => {
    await journey.kubectl("scale", "deployment", "guestbook", "-n", qa, "--replicas=1");
    await journey.sweep();
    const [, line] = await table("drift", "--since", "1h");
    assert.match(line ?? "", / healed \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  test("status: an application that left the configuration is Removed, with what is still there", async () => {
    await journey.push({
      "driftless.yaml": configuration({ prefix: "cli", environments: ["qa"], drift: "report", timeout: "60s" }),
    });
    const line = await eventually("the removal is synced", async () => {
      const [, first] = await table("status");
      return first?.includes("Removed") && !first.includes("Deployment") ? first : undefined;
    });
    assert.match(line, new RegExp(`^${e2e} +local +Removed .* it left the configuration; still there: Namespace ${e2e}$`));
  });

  test("an installation that runs on this machine is found without being named, and kubectl goes to its cluster", async () => {
    const home = await mkdtemp(join(tmpdir(), "driftless-running-"));
    const environment = { XDG_CACHE_HOME: home };
    const { kubeconfig, kubectl } = journey.controlPlane;
    const running = { pid: process.pid, api: `${journey.installation.url}/api`, kubeconfig, kubectl };
    const forget = await announceRunning(running, environment);
    try {
      const status = await runDriftless(["status"], { environment });
      assert.match(status.stdout, new RegExp(`${qa} +local`));
      const got = await runDriftless(["kubectl", "get", "namespace", qa, "-o", "name"], { environment });
      assert.deepEqual([got.status, got.stdout], [0, `namespace/${qa}\n`]);
      const none = await runDriftless(["kubectl", "get", "namespace", "cli-nowhere"], { environment });
      assert.equal(none.status, 1);
      assert.match(none.stderr, /"cli-nowhere" not found/);
      await forget();
      assert.equal((await runDriftless(["status"], { environment })).status, 1);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
