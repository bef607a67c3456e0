import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { startGitServer } from "../../cli/local/git-server.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { canonicalJson } from "../../lib/model/json.ts";
import type { OpenRemote } from "../../lib/render/remote-bases.ts";
import { createSources } from "../../lib/source/sources.ts";
import { commit, temporaryFolder } from "../source/repositories.ts";
import { renderFolder, testRenderer } from "./helper.ts";
import { kubectlKustomize } from "./kubectl.ts";
import { configMap, webShop } from "./manifests.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const sha = "0123456789abcdef0123456789abcdef01234567";

const library: TreeFiles = {
  "deploy/overlay/kustomization.yaml": "resources: [../base]\ncomponents: [../extra]\nnameSuffix: -remote\n",
  "deploy/base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: settings, files: [settings.txt]}]\n",
  "deploy/base/web.yaml": webShop(),
  "deploy/base/settings.txt": { link: "real.txt" },
  "deploy/base/real.txt": "fast\n",
  "deploy/extra/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [extra.yaml]\n",
  "deploy/extra/extra.yaml": configMap("extra"),
  "patch.yaml": configMap("extra", { mode: "slow" }),
};

const opened: string[] = [];
const repositories: { [name: string]: TreeFiles } = {};
const openRemote: OpenRemote = async (repository, id) => {
  const name = `${repository}@${id}`;
  opened.push(name);
  const files = repositories[name];
  if (files === undefined) throw new DriftlessError("source", `no commit ${name}`);
  return memoryTree(files);
};
const renderer = await testRenderer({ openRemote });
const kubectl = kubectlKustomize(renderer);

interface Allowed {
  readonly remoteBases?: readonly string[];
}

const render = (files: TreeFiles, { remoteBases = ["https://github.com/acme/"] }: Allowed = {}) =>
  renderFolder(renderer, { tree: memoryTree(files), path: "app", remoteBases });

const resource = (text: string): TreeFiles => ({ "app/kustomization.yaml": `resources:\n- ${JSON.stringify(text)}\n` });

const refused = (files: TreeFiles, message: string | RegExp, allowed?: Allowed) =>
  assert.rejects(render(files, allowed), { name: "DriftlessError", code: "render", message });

/** The same files in the application's own folder. */
const vendored = (kustomization: string): TreeFiles => ({
  ...Object.fromEntries(Object.entries(library).map(([path, content]) => [`app/library/${path}`, content])),
  "app/kustomization.yaml": kustomization,
});

test("a remote base that the project does not allow is not opened, though the platform's list has it", async () => {
  const theirs = `https://github.com/acme/private?ref=${sha}`;
  const before = opened.length;
  const refusalOf = ({ repository }: { readonly repository: string }) => `not ${repository}`;
  const source = { kind: "git", repository: "https://github.com/acme/shop", targetRevision: "main", path: "app" } as const;
  const rendering = renderer.render({
    application: "shop",
    namespace: "shop",
    sources: [{ source, tree: memoryTree(resource(theirs)) }],
    remoteBases: ["https://github.com/acme/"],
    refusalOf: (read) => (read.path === undefined ? refusalOf(read) : undefined),
  });
  await assert.rejects(rendering, { code: "refused", message: /^not https:\/\/github\.com\/acme\/private/ });
  assert.equal(opened.length, before);
});

test("D2 a remote base that is allowed and pinned gives what its files would give in the repository", async () => {
  repositories[`https://github.com/acme/library@${sha}`] = library;
  const urls = [
    `https://github.com/acme/library//deploy/overlay?ref=${sha}`,
    `https://github.com/acme/library/deploy/overlay?ref=${sha}`,
    `github.com/acme/library//deploy/overlay?ref=${sha}`,
    `git::https://github.com/acme/library//deploy/overlay/?ref=${sha}&timeout=90s&submodules=false`,
    `HTTPS://GitHub.com/acme/library//deploy/overlay?ref=${sha}`,
  ];
  const wanted = await kubectl.buildFiles(vendored("resources: [library/deploy/overlay]\nnamespace: shop\n"), "app");
  assert.equal(wanted.length, 4);
  for (const url of urls) {
    const { objects } = await render({ "app/kustomization.yaml": `resources: ['${url}']\nnamespace: shop\n` });
    assert.deepEqual(objects.map(canonicalJson), wanted, url);
  }
});

test("D2 raw files of GitHub at a commit are read like other files of that commit", async () => {
  const raw = `https://raw.githubusercontent.com/acme/library/${sha}`;
  const kustomization = (at: string): string =>
    `resources: ['${at}/deploy/extra/extra.yaml']\npatches: [{path: '${at}/patch.yaml'}]\nconfigMapGenerator: [{name: g, files: ['${at}/deploy/base/real.txt', 'k=${at}/patch.yaml']}]\n`;
  for (const remoteBases of [["https://github.com/acme/library"], ["https://raw.githubusercontent.com/acme/library/"]]) {
    const { objects } = await render({ "app/kustomization.yaml": kustomization(raw) }, { remoteBases });
    assert.deepEqual(objects.map(canonicalJson), await kubectl.buildFiles(vendored(kustomization("library")), "app"));
  }
});

test("D2 remote bases are pinned inputs, not inputs of the repository", async () => {
  const source = { kind: "git", repository: "https://git.example/shop", targetRevision: "main", path: "app" } as const;
  const tree = memoryTree(resource(`https://github.com/acme/library//deploy/base?ref=${sha}`));
  const remoteBases = ["https://github.com/acme"];
  const { inputs } = await renderer.render({ application: "shop", namespace: "", remoteBases, sources: [{ source, tree }] });
  assert.deepEqual(inputs.pinned, [`https://github.com/acme/library@${sha}`]);
  assert.deepEqual(Object.keys(inputs.repositories[0]?.paths ?? {}).sort(), [
    "app/Kustomization",
    "app/kustomization.yaml",
    "app/kustomization.yml",
  ]);
});

test("D2 a remote base may name another, under the same rules", async () => {
  const next = `https://github.com/acme/library//deploy/base?ref=${sha}`;
  repositories[`https://github.com/acme/outer@${sha}`] = {
    "kustomization.yaml": `resources: ['${next}']\nnamePrefix: outer-\n`,
    "evil/kustomization.yaml": `resources: ['https://github.com/other/repo?ref=${sha}']\n`,
    "floating/kustomization.yaml": "resources: ['https://github.com/acme/library//deploy/base?ref=main']\n",
    "up/kustomization.yaml": "resources: [../..]\n",
    "loose/kustomization.yaml": `resources: ['../../../../../../other']\n`,
    "link/kustomization.yaml": "resources: [a.yaml]\n",
    "link/a.yaml": { link: "../kustomization.yaml" },
    "plugin/kustomization.yaml":
      "transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: ssh://example.com/a\n",
  };
  const { objects } = await render(resource(`https://github.com/acme/outer?ref=${sha}`));
  assert.deepEqual(objects.map(({ metadata }) => metadata.name.replace(/-\w{10}$/, "")).sort(), [
    "outer-settings",
    "outer-web",
    "outer-web",
  ]);
  const inside = (path: string): string => `https://github.com/acme/outer//${path}/kustomization.yaml?ref=${sha}`;
  const outer = (path: string): TreeFiles => resource(`https://github.com/acme/outer//${path}?ref=${sha}`);
  await refused(
    outer("evil"),
    `${inside("evil")}:1: resources: https://github.com/other/repo?ref=${sha} is not below an entry of remoteBases: add one, or copy it into the repository`,
  );
  await refused(outer("floating"), /^.*\/floating\/kustomization\.yaml\?ref=\w+:1: resources: .*\?ref=main is not pinned: /);
  await refused(outer("up"), `${inside("up")}:1: resources: ../.. lies outside the remote base`);
  await refused(
    { ...outer("loose"), "other/kustomization.yaml": "" },
    `${inside("loose")}:1: resources: ../../../../../../other lies outside the remote base`,
  );
  await refused(
    outer("link"),
    `https://github.com/acme/outer@${sha.slice(0, 7)}: link/a.yaml: is a symbolic link to ../kustomization.yaml, out of link: put the file itself there`,
  );
  await refused(outer("plugin"), /transformers: ssh:\/\/example\.com\/a is remote/);
});

test("D2 what is allowed but not pinned, not readable as a URL, or reaches beside an entry is refused and not opened", async () => {
  opened.length = 0;
  const at = "app/kustomization.yaml:2: resources: ";
  const cases: readonly (readonly [string, string])[] = [
    ["https://github.com/acme/library//deploy", " is not pinned: name a commit by its full id (?ref= and 40 hex digits)"],
    [
      "https://github.com/acme/library//deploy?ref=main",
      " is not pinned: name a commit by its full id (?ref= and 40 hex digits)",
    ],
    ["https://github.com/acme/library?ref=0123456", " is not pinned: name a commit by its full id (?ref= and 40 hex digits)"],
    [`https://github.com/acme/library?version=${sha}`, " is not pinned: name a commit by its full id (?ref= and 40 hex digits)"],
    [
      "https://raw.githubusercontent.com/acme/library/main/a.yaml",
      " is not pinned: name a commit by its full id (?ref= and 40 hex digits)",
    ],
    [
      `https://github.com/acme-evil/library?ref=${sha}`,
      " is not below an entry of remoteBases: add one, or copy it into the repository",
    ],
    [
      `https://github.com.evil.example/acme/library?ref=${sha}`,
      " is not below an entry of remoteBases: add one, or copy it into the repository",
    ],
    [
      `http://github.com/acme/library?ref=${sha}`,
      " is not below an entry of remoteBases: add one, or copy it into the repository",
    ],
    [`git@github.com:acme/library?ref=${sha}`, ": write it as https://HOST/OWNER/REPOSITORY//PATH?ref=COMMIT"],
    [`ssh://github.com/acme/library?ref=${sha}`, ": write it as https://HOST/OWNER/REPOSITORY//PATH?ref=COMMIT"],
    [`file:///acme/library?ref=${sha}`, ": write it as https://HOST/OWNER/REPOSITORY//PATH?ref=COMMIT"],
    [`https://github.com/acme/../other/repo?ref=${sha}`, ": its path is not plain"],
    [`https://github.com/acme/library//../../x?ref=${sha}`, ": its path is not plain"],
    [`https://github.com/acme/%2e%2e/library?ref=${sha}`, ": its path is not plain"],
    [`https://github.com/acme/library//a/.git/config?ref=${sha}`, ": its path is not plain"],
  ];
  for (const [url, problem] of cases) await refused(resource(url), `${at}${url}${problem}`);
  await refused(
    resource(`https://me:hush@github.com/acme/library?ref=${sha}`),
    `${at}https://github.com/acme/library?ref=${sha}: credentials do not belong into the URL`,
  );
  await refused(
    {
      "app/kustomization.yaml": `buildMetadata: [originAnnotations]\nresources: ['https://github.com/acme/library//deploy/base?ref=${sha}']\n`,
    },
    /buildMetadata can't tell of remote bases/,
  );
  assert.deepEqual(opened, []);
});

test("D2 the folder that stands for remote bases can't be named by a kustomization", async () => {
  opened.length = 0;
  const name = Buffer.from("https://github.com/acme/library").toString("base64url");
  const evil = Buffer.from("https://github.com/evil/library").toString("base64url");
  await refused(resource(`.git/remote/${name}/${sha}/deploy/base`), /: \.git is no folder of a commit$/);
  const plugin = (path: string): TreeFiles => ({
    "app/kustomization.yaml": `transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: ${path}\n`,
  });
  await refused(plugin(`.git/remote/${evil}/${sha}/patch.yaml`), /this render may not open it: add it to remoteBases$/);
  await refused(plugin(".git/config"), /app\/\.git\/config/);
  assert.deepEqual(opened, []);
});

test("D2 every way to name something remote is refused by default, and no packet leaves", async () => {
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  try {
    const urls = [
      `http://${host}/a.yaml`,
      `https://${host}/a.yaml`,
      `HTTP://${host}/a.yaml`,
      `git::http://${host}/a`,
      `http://${host}/org/repo.git//path?ref=${sha}`,
      `ssh://git@${host}/org/repo`,
      "git@127.0.0.1:org/repo.git",
      "gh:org/repo",
      "github.com/org/repo//path?ref=main",
      "www.github.com/org/repo",
      "file:///etc",
      "http://169.254.169.254/latest/meta-data/iam",
      "http://[::1]:80/a",
      `s3::http://${host}/bucket`,
    ];
    const fields: readonly ((url: string) => string)[] = [
      (url) => `resources: ['${url}']\n`,
      (url) => `Resources: ['${url}']\n`,
      (url) => `bases: ['${url}']\n`,
      (url) => `components: ['${url}']\n`,
      (url) => `crds: ['${url}']\n`,
      (url) => `configurations: ['${url}']\n`,
      (url) => `generators: ['${url}']\n`,
      (url) => `transformers: ['${url}']\n`,
      (url) => `validators: ['${url}']\n`,
      (url) => `openapi: {path: '${url}'}\n`,
      (url) => `patches: [{path: '${url}'}]\n`,
      (url) => `patchesStrategicMerge: ['${url}']\n`,
      (url) => `patchesJson6902: [{path: '${url}', target: {version: v1, kind: X, name: x}}]\n`,
      (url) => `replacements: [{path: '${url}'}]\n`,
      (url) => `configMapGenerator: [{name: a, files: ['${url}']}]\n`,
      (url) => `secretGenerator: [{name: a, envs: ['${url}']}]\n`,
      (url) => `x: &all ['${url}']\nresources: *all\n`.replace("x:", "generators:"),
      (url) => `transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: '${url}'\n`,
      (url) =>
        `generators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: x}\n  files: ['a=${url}']\n`,
      (url) =>
        `generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: x}\n  name: x\n  repo: '${url}'\n`,
      (url) => `helmCharts: [{name: a, repo: '${url}'}]\n`,
      (url) => `helmChartInflationGenerator: [{chartName: a, chartRepoUrl: '${url}'}]\n`,
    ];
    for (const field of fields) {
      for (const url of urls) {
        await refused({ "app/kustomization.yaml": field(url) }, /is remote|Helm charts are not rendered/, { remoteBases: [] });
      }
    }
    // Files that plugins name by themselves.
    for (const list of ["generators", "transformers", "validators"]) {
      await refused(
        {
          "app/kustomization.yaml": `${list}: [plugin.yaml]\n`,
          "app/plugin.yaml": `apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npaths: ['${urls[0]}']\n`,
        },
        /^app\/plugin\.yaml: http:.* is remote/,
        { remoteBases: [] },
      );
    }
    // And where a file that names something is not looked into, the helper has no network.
    const plugins: TreeFiles = {
      "app/kustomization.yaml": "transformers: [plugins]\n",
      "app/plugins/kustomization.yaml": "resources: [p.yaml]\n",
      "app/plugins/p.yaml": `apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: http://${host}/p.yaml\n`,
    };
    await refused(plugins, /remote files are refused: a render reads the commit only/, { remoteBases: [] });
    assert.equal(connections, 0);
  } finally {
    await new Promise((resolve) => listener.close(resolve));
  }
});

test("D2 a real Git server's commit serves as remote base", async () => {
  const folder = await temporaryFolder();
  after(() => folder.remove());
  const server = await startGitServer({ root: folder.path });
  try {
    const { url, path } = await server.createRepository("acme/library");
    const files = Object.entries(library).map(([name, content]) => [
      name,
      typeof content === "object" && "link" in content ? { mode: "120000" as const, body: content.link } : (content as string),
    ]);
    const pinned = await commit(path, Object.fromEntries(files));
    await commit(path, { "deploy/base/web.yaml": "broken: [\n" });
    const sources = createSources();
    const remote = await testRenderer({ openRemote: (repository, id, options) => sources.source(repository).open(id, options) });
    const kustomization = `resources: ['${url.replace(/\.git$/, "")}.git//deploy/overlay?ref=${pinned}']\n`;
    const { objects } = await renderFolder(remote, {
      tree: memoryTree({ "app/kustomization.yaml": kustomization }),
      path: "app",
      remoteBases: [server.url],
    });
    assert.deepEqual(
      objects.map(canonicalJson),
      await kubectl.buildFiles(vendored("resources: [library/deploy/overlay]\n"), "app"),
    );
    await assert.rejects(
      renderFolder(remote, {
        tree: memoryTree({ "app/kustomization.yaml": kustomization.replace(pinned, sha) }),
        path: "app",
        remoteBases: [server.url],
      }),
      { code: "source" },
    );
  } finally {
    await server.close();
  }
});
