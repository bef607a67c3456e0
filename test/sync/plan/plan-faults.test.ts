import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { configMap } from "../../support/guestbook.ts";
import { aConfiguration, planningAround } from "./planning.ts";

const yaml = (application: Parameters<typeof aConfiguration>[0][string] = {}) => aConfiguration({ a: application });

suite("planning what is broken", () => {
  const open = planningAround();

  async function planned() {
    const planning = await open();
    await planning.commit(planning.platform, {
      "driftless.yaml": yaml(),
      "a/one.yaml": configMap("one"),
      "a/two.yaml": configMap("two"),
    });
    await planning.push(planning.platform);
    await planning.withRuns("a");
    return { ...planning, before: (await planning.state("a"))?.desired };
  }

  const nothing: readonly (readonly [string, Readonly<Record<string, string | null>>, RegExp])[] = [
    [
      "every file is deleted",
      { "a/one.yaml": null, "a/two.yaml": null, "a/README.md": "x" },
      /^a holds no objects; .*allowEmpty: true/,
    ],
    ["the folder is deleted", { "a/one.yaml": null, "a/two.yaml": null }, /^a: the folder does not exist in commit /],
    ["the path is wrong", { "driftless.yaml": yaml({ path: "nowhere" }) }, /^nowhere: the folder does not exist in commit /],
    ["the files hold comments only", { "a/one.yaml": "# later\n---\n", "a/two.yaml": "" }, /^a holds no objects; /],
    ["the list is empty", { "a/one.yaml": "apiVersion: v1\nkind: List\nitems: []\n", "a/two.yaml": "" }, /^a holds no objects; /],
    ["the kustomization names nothing", { "a/kustomization.yaml": "namespace: x\n" }, /^a holds no objects; /],
    [
      "the chart is switched off",
      {
        "a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
        "a/templates/one.yaml": "{{ if .Values.enabled }}\na: 1\n{{ end }}\n",
      },
      /^a holds no objects; /,
    ],
    [
      "no file is included",
      { "driftless.yaml": yaml({ sources: '[{ path: a, directory: { include: ["*.yml"] } }]' }) },
      /^a holds no objects; /,
    ],
  ];
  for (const [what, files, error] of nothing) {
    test(`D9 when ${what}, what is desired stays and nothing is started`, async () => {
      const { platform, commit, push, state, started, before } = await planned();
      await commit(platform, files);
      assert.equal((await push(platform))?.state, "failed");
      const after = await state("a");
      assert.deepEqual(after?.desired, before);
      assert.match(after?.planError ?? "", error);
      assert.deepEqual(started(), []);
    });
  }

  test("D9 nothing is desired where allowEmpty says so", async () => {
    const { platform, commit, push, state, started } = await planned();
    const allowed = yaml().replace("namespace: shop }", "namespace: shop, sync: { allowEmpty: true } }");
    assert.match(allowed, /allowEmpty/);
    await commit(platform, { "driftless.yaml": allowed, "a/one.yaml": "", "a/two.yaml": null });
    assert.equal((await push(platform))?.state, "planned");
    assert.deepEqual([(await state("a"))?.desired?.generation, started()], [2, ["eu: a"]]);
  });

  test("D10 a broken commit between two good ones is passed over: the last good one is what is desired", async () => {
    const { platform, commit, push, state, started, before } = await planned();
    await commit(platform, { "a/one.yaml": "kind: [\n" });
    assert.equal((await push(platform))?.state, "failed");
    assert.deepEqual((await state("a"))?.desired, before);
    const good = await commit(platform, { "a/one.yaml": configMap("one", { key: "new" }) });
    assert.equal((await push(platform))?.state, "planned");
    const after = await state("a");
    assert.deepEqual([after?.desired?.revision, after?.desired?.generation, after?.planError], [good, 2, ""]);
    assert.deepEqual(started(), ["eu: a"]);
  });
});
