import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

const prefix = "github";
const files = guestbook({ prefix, environments: ["qa"] });
const tagged = (tag: string) => ({ "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag }) });

describe("a private repository of GitHub", () => {
  let journey: Journey;
  before(async () => {
    journey = await startJourney({ onGithub: true });
  });
  after(() => journey.close());

  const image = () => journey.field(["deployment", "github-qa", "guestbook"], ".spec.template.spec.containers[0].image");
  /** What became of the delivery of a commit. */
  const outcome = (commit: string) =>
    eventually(`an outcome of ${commit.slice(0, 7)}`, async () => {
      const { items } = await journey.installation.stores.deliveries.list();
      return items.find((row) => row.after === commit && !["received", "queued"].includes(row.state));
    });

  test("C5: is synced completely by an App's token, though archives would leave its files out", async () => {
    const commit = await journey.push({ ...files, ".gitattributes": "overlays/** export-ignore\nbase/** export-ignore\n" });
    const sync = await journey.synced("github-qa", commit);
    assert.deepEqual([sync.phase, sync.counts.created, sync.counts.pruned], ["Succeeded", 3, 0]);
    assert.equal(await image(), "registry.example/guestbook:1.0");
    const tokens = journey.github?.requests.filter(({ method }) => method === "POST").map(({ body }) => body);
    // The delivery has told the id already, so the name alone opens nothing.
    const id = journey.github?.idOf("acme/fleet");
    assert.deepEqual(tokens?.[0], { repository_ids: [id], permissions: { contents: "read" } });
    assert.equal(await journey.installation.stores.repositories.get(journey.repository), journey.github?.idOf("acme/fleet"));
  });

  test("C6: an LFS pointer or a submodule that an application uses is said in the delivery, and deletes nothing", async () => {
    const pointer = await journey.push({
      "base/service.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    });
    assert.match((await outcome(pointer)).reason, /base\/service\.yaml: .*LFS pointer/);
    const named = overlay({ prefix, environment: "qa", resources: ["vendor"] });
    await writeFile(join(journey.folder, "overlays/qa/kustomization.yaml"), named);
    await writeFile(join(journey.folder, "base/service.yaml"), files["base/service.yaml"] ?? "");
    await journey.git("add", "--all");
    await journey.git("update-index", "--add", "--cacheinfo", `160000,${"5".repeat(40)},overlays/qa/vendor`);
    await journey.git("commit", "--quiet", "--message=submodule");
    await journey.git("push", "--quiet", "origin", "HEAD:main");
    const submodule = await outcome(await journey.git("rev-parse", "HEAD"));
    assert.match(submodule.reason, /overlays\/qa\/vendor: submodules are not read/);
    assert.equal(await journey.field(["service", "github-qa", "guestbook"], ".metadata.name"), "guestbook");
    assert.equal((await journey.syncs("github-qa")).filter(({ counts }) => counts.pruned > 0).length, 0);
  });

  test("C8: a rate limit puts the plan off by the wait that GitHub asks for, and then it is done", async () => {
    const { github } = journey;
    const seen = journey.events.length;
    github?.refuse("git", { status: 403, headers: { "retry-after": "3" } });
    const commit = await journey.push(tagged("1.1"));
    const putOff = await eventually("a plan that is put off", async () =>
      journey.events.slice(seen).find(({ event }) => event === "queue.put-off"),
    );
    assert.equal(putOff["waitSeconds"], 3);
    github?.refuse("git", undefined);
    assert.equal((await journey.synced("github-qa", commit)).phase, "Succeeded");
    assert.equal(await image(), "registry.example/guestbook:1.1");
    assert.deepEqual(
      journey.events.slice(seen).filter(({ event }) => event === "queue.work-failed"),
      [],
    );
  });

  test("no credential is in any log line", () => {
    assert.ok(journey.events.length > 20);
    assert.doesNotMatch(JSON.stringify(journey.events), /ghs_|PRIVATE KEY|[Bb]earer ey|Basic [A-Za-z0-9]/);
  });
});
