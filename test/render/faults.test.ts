import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { HelperProcess } from "../../lib/render/helper-process.ts";
import { createSources } from "../../lib/source/sources.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { git, pipeInto, temporaryFolder } from "../source/repositories.ts";
import { helperBinary, renderFolder, testRenderer } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();

const render = (files: TreeFiles, path = "app") => renderFolder(renderer, { tree: memoryTree(files), path });

const refused = (files: TreeFiles, message: string | RegExp, path?: string) =>
  assert.rejects(render(files, path), { name: "DriftlessError", code: "render", message });

test("C1 a name in a commit that leads out of its folder is refused, by plain folders and by kustomizations", async () => {
  const folder = await temporaryFolder();
  after(() => folder.remove());
  await git(folder.path, "init", "--quiet", "--bare", ".");
  const store = async (type: "blob" | "tree", body: Uint8Array): Promise<string> =>
    (await pipeInto(folder.path, [body], "hash-object", "-t", type, "-w", "--literally", "--stdin")).toString("latin1").trim();
  const treeOf = (entries: readonly (readonly [string, string, string])[]): Promise<string> =>
    store(
      "tree",
      Buffer.concat(
        entries.map(([mode, name, oid]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")])),
      ),
    );
  const manifest = await store("blob", Buffer.from(configMap("evil")));
  const kustomization = await store("blob", Buffer.from("resources: [a.yaml]\n"));
  const names = [
    "..",
    ".",
    ".git",
    ".GIT",
    "a\\b.yaml",
    "..\\a.yaml",
    "C:\\a.yaml",
    "/etc/a.yaml",
    "../a.yaml",
    `${"x".repeat(256)}.yaml`,
  ];
  for (const name of names) {
    for (const files of [[], [["100644", "kustomization.yaml", kustomization] as const]]) {
      const app = await treeOf([["100644", name, manifest], ...files]);
      const root = await treeOf([["40000", "app", app]]);
      const commit = await git(folder.path, "commit-tree", root, "-m", "evil");
      const tree = await createSources().source(folder.path).open(commit);
      await assert.rejects(
        renderFolder(renderer, { tree, path: "app" }),
        (error) => isDriftlessError(error, "source") && !error.retryable && error.message.endsWith("it is refused"),
        name,
      );
    }
  }
});

test("C3 a chart with a link out of its folder is refused before Helm sees it", async () => {
  await refused(
    {
      "app/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
      "app/link.yaml": { link: "../secret.yaml" },
      "app/templates/a.yaml":
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {got: {{ .Files.Get "link.yaml" | quote }}}\n',
      "secret.yaml": "hush",
    },
    "app/link.yaml: is a symbolic link to ../secret.yaml, out of app: put the file itself there",
  );
});

test("C4 what all files of an application take together is bounded, with its bases", async () => {
  const text = `${configMap("a")}  text: ${"x".repeat(6 * 1024 * 1024)}\n`;
  await refused(
    {
      "app/kustomization.yaml": "resources: [../base, a.yaml]\n",
      "app/a.yaml": text,
      "base/kustomization.yaml": "resources: [b.yaml]\n",
      "base/b.yaml": text.replace("name: a", "name: b"),
    },
    /take more than 10 MiB$/,
  );
});

/** Files on the disk that a render must not see, and its answer looked through for what is in them. */
async function canary(): Promise<{ readonly path: string; readonly text: string }> {
  const folder = await mkdtemp(join(tmpdir(), "driftless-canary-"));
  after(() => rm(folder, { recursive: true, force: true }));
  const text = `canary-${process.pid}`;
  await writeFile(join(folder, "secret.yaml"), configMap(text));
  return { path: join(folder, "secret.yaml"), text };
}

test("D1 the helper's process holds no environment, no folder of its own and no file but its pipes", async (context) => {
  if (process.platform !== "linux") return context.skip("/proc tells of processes on Linux only");
  process.env["DRIFTLESS_CANARY"] = "hush";
  const child = new HelperProcess({ helper: await helperBinary(), timeoutMs: 30_000, concurrency: 1, log: silentLog });
  try {
    await child.run({ request: { op: "render", renderer: "directory", path: "", entries: [] }, lookup: async () => [] });
    const proc = `/proc/${child.pid}`;
    assert.equal(await readFile(`${proc}/environ`, "utf8"), "");
    for (const fd of await readdir(`${proc}/fd`)) {
      const target = await readlink(`${proc}/fd/${fd}`);
      // Go's runtime looks how many processors it has.
      assert.match(target, /^(?:pipe|socket|anon_inode):|^\/sys\/fs\/cgroup\//, `descriptor ${fd} is ${target}`);
    }
  } finally {
    delete process.env["DRIFTLESS_CANARY"];
    await child.close();
  }
});

test("D1 a kustomization finds neither environment nor files nor processes", async () => {
  const { path, text } = await canary();
  const outside = [
    "/proc/self/environ",
    "/etc/passwd",
    path,
    `../../../../..${path}`,
    "~/.aws/credentials",
    "$HOME/.aws/credentials",
  ];
  const uses: readonly ((file: string) => string)[] = [
    (file) => `resources: ['${file}']\n`,
    (file) => `configMapGenerator: [{name: a, files: ['a=${file}']}]\n`,
    (file) => `secretGenerator: [{name: a, envs: ['${file}']}]\n`,
    (file) => `resources: [a.yaml]\npatches: [{path: '${file}'}]\n`,
    (file) => `resources: [a.yaml]\nopenapi: {path: '${file}'}\n`,
    (file) => `resources: [a.yaml]\ncrds: ['${file}']\n`,
    (file) => `resources: [a.yaml]\nconfigurations: ['${file}']\n`,
    (file) => `resources: [a.yaml]\ntransformers: ['${file}']\n`,
    (file) =>
      `resources: [a.yaml]\ngenerators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: x}\n  files: ['a=${file}']\n`,
    (file) =>
      `resources: [a.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: '${file}'\n`,
  ];
  for (const use of uses) {
    for (const file of outside) {
      const outcome = await render({ "app/kustomization.yaml": use(file), "app/a.yaml": configMap("a") }).then(
        ({ objects }) => JSON.stringify(objects),
        (error: unknown) => {
          assert.ok(isDriftlessError(error, "render"), String(error));
          return `refused: ${error.message}`;
        },
      );
      assert.match(outcome, /^refused: /);
      assert.doesNotMatch(outcome, new RegExp(`${text}|root:`));
    }
  }
  // Kustomize takes a value that is not given from its environment.
  const { objects } = await render({
    "app/kustomization.yaml": "configMapGenerator: [{name: a, envs: [e.env]}]\n",
    "app/e.env": "PATH\nHOME\nAWS_SECRET_ACCESS_KEY\n",
  });
  assert.deepEqual(objects[0]?.["data"], { AWS_SECRET_ACCESS_KEY: "", HOME: "", PATH: "" });
});

test("D3 the six ways out of a kustomization are shut", async () => {
  const { path } = await canary();
  const executable = join(path, "..", "plugin.sh");
  await writeFile(executable, "#!/bin/sh\ntouch ran\n", { mode: 0o755 });
  const base: TreeFiles = { "other/secret.txt": "hush", "app/a.yaml": configMap("a") };
  const six: readonly (readonly [string, TreeFiles, RegExp])[] = [
    [
      "files of /proc",
      { "app/kustomization.yaml": "configMapGenerator: [{name: a, files: [/proc/self/environ]}]\n" },
      /lies outside the repository/,
    ],
    [
      "symbolic links",
      {
        "app/kustomization.yaml": "configMapGenerator: [{name: a, files: [l.txt]}]\n",
        "app/l.txt": { link: "../other/secret.txt" },
      },
      /^app\/l\.txt: is a symbolic link to .*, out of app/,
    ],
    [
      "files above its folder",
      { "app/kustomization.yaml": "configMapGenerator: [{name: a, files: [../other/secret.txt]}]\n" },
      /is not in or below/,
    ],
    [
      "executable plugins",
      {
        "app/kustomization.yaml": `transformers:\n- |-\n  apiVersion: v1\n  kind: X\n  metadata:\n    name: x\n    annotations:\n      config.kubernetes.io/function: |\n        exec: {path: '${executable}'}\n`,
      },
      /external plugins disabled/,
    ],
    [
      "plugins in containers",
      {
        "app/kustomization.yaml":
          "generators:\n- |-\n  apiVersion: v1\n  kind: X\n  metadata:\n    name: x\n    annotations:\n      config.kubernetes.io/function: |\n        container: {image: example/x}\n",
      },
      /external plugins disabled/,
    ],
    [
      "Helm charts",
      { "app/kustomization.yaml": "helmCharts: [{name: a, repo: 'https://example.com'}]\n" },
      /Helm charts are not rendered/,
    ],
  ];
  for (const [, files, message] of six) await refused({ ...base, ...files }, message);
  assert.deepEqual((await readdir(join(path, ".."))).sort(), ["plugin.sh", "secret.yaml"], "nothing ran");
});

test("D8 an application can't read the files of another one through a generator, a patch or a resource", async () => {
  const neighbour: TreeFiles = {
    "neighbour/values.yaml": "password: hush\n",
    "neighbour/p.yaml": configMap("a", { mode: "hush" }),
  };
  const mine = (kustomization: string): TreeFiles => ({
    ...neighbour,
    "app/kustomization.yaml": `resources: [a.yaml]\n${kustomization}`,
    "app/a.yaml": configMap("a"),
  });
  const outside = /security; file '[^']*neighbour\/[^']*' is not in or below 'app'/;
  await refused(mine("secretGenerator: [{name: s, files: [../neighbour/values.yaml]}]\n"), outside);
  await refused(mine("configMapGenerator: [{name: s, envs: [../neighbour/values.yaml]}]\n"), outside);
  await refused(mine("patches: [{path: ../neighbour/p.yaml}]\n"), outside);
  await refused(mine("replacements: [{path: ../neighbour/values.yaml}]\n"), outside);
  await refused({ ...mine(""), "app/kustomization.yaml": "resources: [../neighbour/p.yaml]\n" }, outside);
});
