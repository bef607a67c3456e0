import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { git } from "../../cli/local/git-client.ts";
import { publishedSchema } from "../../lib/config/schema.ts";
import { runDriftless } from "./run.ts";

let folder: string;
const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
};

const projects = `projects:
  - name: shop
    sourceRepos: [https://github.com/acme/*]
    destinations: [{ cluster: eu, namespace: shop-* }]
    identity: impersonate
`;
const folders = `applicationSets:
  - name: all
    generators: [{ git: { directories: [{ path: "apps/*" }] } }]
    template: { name: "{{path.basename}}", project: shop, path: "{{path}}", cluster: eu, namespace: shop-a }
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "driftless-validate-"));
  await write({
    "plain/driftless.yaml": "clusters: [{ name: eu, context: eu }]\napplications: [{ name: web, path: web, cluster: eu }]\n",
    "wrong/driftless.yaml": "clusters: [{ name: eu, context: eu }]\napplications:\n  - { name: web, pth: web, cluster: ue }\n",
    "platform/driftless.yaml": `clusters: [{ name: eu, context: eu }]\n${projects}${folders}`,
    "platform/apps/web/a.yaml": "",
    "platform/apps/old/gone.yaml": "",
    "platform/apps/ignored/a.yaml": "",
    "platform/.gitignore": "ignored\n",
    "team/driftless.yaml": "applications: [{ name: api, path: deploy, cluster: eu, namespace: shop-api }]\n",
    "team/taken.yaml": "applications: [{ name: web, path: deploy, cluster: eu, namespace: kube-system }]\n",
    "other/driftless.yaml": `clusters: [{ name: eu, context: eu }]\n${projects}${folders.replace(
      "git: {",
      "git: { repository: https://github.com/acme/apps, targetRevision: next,",
    )}`,
  });
  for (const [name, origin] of [
    ["platform", "https://alice:secret-token@github.com/acme/platform.git"],
    ["team", "git@github.com:acme/team.git"],
  ] as const) {
    await git(join(folder, name), "init", "--quiet");
    await git(join(folder, name), "remote", "add", "origin", origin);
    await git(join(folder, name), "add", ".");
  }
  await rm(join(folder, "platform/apps/old"), { recursive: true });
  await write({ "platform/apps/new/a.yaml": "" });
});
after(() => rm(folder, { recursive: true, force: true }));

const validate = (...args: readonly string[]) =>
  runDriftless(["validate", ...args.map((arg) => (arg.endsWith(".yaml") ? join(folder, arg) : arg))]);
const short = (text: string): string => text.replaceAll(`${folder}/`, "");

suite("driftless validate", () => {
  test("says what a file holds that is valid", async () => {
    const { status, stdout, stderr } = await validate("plain/driftless.yaml");
    assert.deepEqual(
      [status, short(stdout), stderr],
      [0, "plain/driftless.yaml: valid: 1 cluster, 0 projects, 1 application\n", ""],
    );
  });

  test("lists every mistake of every file with its place, and fails", async () => {
    const { status, stdout } = await validate("wrong/driftless.yaml", "plain/driftless.yaml");
    assert.equal(status, 1);
    assert.equal(
      short(stdout),
      `wrong/driftless.yaml:3:5: applications[0]: needs one of the keys "path" and "chart" and "sources"
wrong/driftless.yaml:3:18: applications[0].pth: is not a key of this mapping: did you mean "path"?
wrong/driftless.yaml:3:37: applications[0].cluster: there is no cluster "ue": did you mean "eu"?
plain/driftless.yaml: valid: 1 cluster, 0 projects, 1 application
`,
    );
  });

  test("as JSON it is an entry for each file", async () => {
    const { status, stdout } = await validate("wrong/driftless.yaml", "plain/driftless.yaml", "--output", "json");
    assert.equal(status, 1);
    const [wrong, plain] = JSON.parse(short(stdout)) as readonly { readonly problems: readonly unknown[] }[];
    assert.deepEqual(plain, { file: "plain/driftless.yaml", valid: true, applications: ["web"], problems: [], unanswered: [] });
    assert.deepEqual(wrong?.problems[1], {
      line: 3,
      column: 18,
      path: "applications[0].pth",
      message: 'is not a key of this mapping: did you mean "path"?',
    });
  });

  test("takes the folders of the working tree as they stand: new ones, none that is deleted or ignored", async () => {
    const { status, stdout } = await validate("platform/driftless.yaml", "--output", "json");
    assert.equal(status, 0, stdout);
    const [file] = JSON.parse(stdout) as readonly { readonly applications: readonly string[] }[];
    assert.deepEqual(file?.applications, ["new", "web"]);
    assert.doesNotMatch(stdout, /secret-token/);
  });

  test("says which folders it cannot see, and checks the rest", async () => {
    const { status, stdout } = await validate("other/driftless.yaml");
    assert.deepEqual(
      [status, short(stdout)],
      [
        0,
        "other/driftless.yaml: valid: 1 cluster, 1 project, 0 applications\n" +
          "other/driftless.yaml: not checked: the applications for the folders apps/* of https://github.com/acme/apps at next, which are not in this working tree\n",
      ],
    );
  });

  test("an application file is held against its platform file and project, by the address of its remote", async () => {
    const ofShop = ["--platform", "platform/driftless.yaml", "--project", "shop"];
    const right = await validate("team/driftless.yaml", ...ofShop);
    assert.deepEqual([right.status, short(right.stdout)], [0, "team/driftless.yaml: valid: 1 application of project shop\n"]);
    const wrong = await validate("team/taken.yaml", ...ofShop);
    assert.deepEqual(
      [wrong.status, short(wrong.stdout)],
      [1, 'team/taken.yaml:1:24: applications[0].name: "web" is an application of another file already: names are unique\n'],
    );
    const elsewhere = await validate("team/driftless.yaml", ...ofShop, "--repository", "https://github.com/evil/team");
    assert.deepEqual(
      [elsewhere.status, short(elsewhere.stdout)],
      [
        1,
        "team/driftless.yaml:1:16: applications[0].repository: project shop does not allow the repository https://github.com/evil/team: add it to its sourceRepos\n",
      ],
    );
  });

  test("an application file without its platform file or project, or with a project that is not there, says what to do", async () => {
    const missing = await validate("team/driftless.yaml");
    assert.equal(missing.status, 2);
    assert.match(
      short(missing.stderr),
      /^driftless: team\/driftless.yaml states no clusters, so it is an application file: say by --platform FILE --project NAME /,
    );
    const unknown = await validate("team/driftless.yaml", "--platform", "platform/driftless.yaml", "--project", "shpo");
    assert.equal(unknown.status, 2);
    assert.match(short(unknown.stderr), /^driftless: platform\/driftless.yaml has no project shpo: did you mean shop\?/);
  });

  test("a platform file that is wrong is told in place of the application file", async () => {
    const { status, stdout } = await validate("team/driftless.yaml", "--platform", "wrong/driftless.yaml", "--project", "shop");
    assert.equal(status, 1);
    assert.match(short(stdout), /^wrong\/driftless.yaml:3:5: /);
  });

  test("a file that is not there says so", async () => {
    const { status, stderr } = await validate("nothing.yaml");
    assert.deepEqual([status, short(stderr)], [1, "driftless: nothing.yaml cannot be read: there is no such file\n"]);
  });

  test("--schema prints the published schema", async () => {
    const { status, stdout } = await validate("--schema");
    assert.deepEqual([status, stdout], [0, publishedSchema()]);
  });
});
