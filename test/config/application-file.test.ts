import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkApplicationFile, parseApplicationFile, parseConfiguration } from "../../lib/config/configuration.ts";
import { directoriesKey, directoriesWanted } from "../../lib/config/directories.ts";
import { isApplicationFile } from "../../lib/config/file-kind.ts";
import { DriftlessError } from "../../lib/errors.ts";
import type { Project } from "../../lib/model/project.ts";

const platform = parseConfiguration({
  file: "driftless.yaml",
  repository: "https://github.com/acme/platform",
  text: `clusters:
  - { name: eu, context: eu, labels: { env: prod } }
  - { name: us, context: us, labels: { env: prod } }
projects:
  - name: shop
    sourceRepos: [https://github.com/acme/shop]
    paths: [deploy/**]
    destinations: [{ cluster: eu, namespace: shop-* }]
    identity: impersonate
    syncWindows: [{ kind: deny, schedule: "0 2 * * *", duration: 1h }]
    applicationFiles: [{ repository: https://github.com/acme/shop }]
  - { name: base, sourceRepos: ["*"], destinations: [{ cluster: "*", namespace: "*" }], identity: installation }
applications: [{ name: database, path: database, cluster: eu, namespace: db, project: base }]
syncWindows: [{ kind: deny, schedule: "0 1 * * *", duration: 1h }]
`,
});
const project = platform.projects.find(({ name }) => name === "shop") as Project;
const repository = "https://github.com/acme/shop";
const source = (text: string) => ({ text, file: "driftless.yaml", repository, project, platform });

/** `line:column path: message`. */
function problems(text: string): readonly string[] {
  const check = checkApplicationFile(source(text));
  assert.ok(!check.valid, "the text was accepted");
  return check.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

suite("a team's application file", () => {
  test("its applications are of its project and of its own repository, and all windows count", () => {
    const text = `applications:
  - { name: web, path: deploy/web, cluster: eu, namespace: shop-web, dependsOn: [database] }
  - { name: api, path: deploy/api, cluster: eu, namespace: shop-api, project: shop, dependsOn: [web] }
`;
    const applications = parseApplicationFile(source(text));
    assert.deepEqual(
      applications.map(({ name, project: of, dependsOn, sources, syncWindows }) => ({
        name,
        of,
        dependsOn,
        sources,
        windows: syncWindows.map(({ schedule }) => schedule),
      })),
      [
        {
          name: "web",
          of: "shop",
          dependsOn: ["database"],
          sources: [{ kind: "git", repository, targetRevision: "main", path: "deploy/web" }],
          windows: ["0 1 * * *", "0 2 * * *"],
        },
        {
          name: "api",
          of: "shop",
          dependsOn: ["web"],
          sources: [{ kind: "git", repository, targetRevision: "main", path: "deploy/api" }],
          windows: ["0 1 * * *", "0 2 * * *"],
        },
      ],
    );
  });

  test("its generators see no cluster but those of the project", () => {
    const text = `applicationSets:
  - name: all
    generators: [{ clusters: {} }]
    template: { name: "web-{{name}}", path: deploy/web, cluster: "{{name}}", namespace: shop-web }
`;
    assert.deepEqual(
      parseApplicationFile(source(text)).map(({ name }) => name),
      ["web-eu"],
    );
  });

  test("its generators look into no repository but those of the project, and ask for none", () => {
    const text = `applicationSets:
  - name: all
    generators: [{ git: { directories: [{ path: deploy/* }] } }]
    template: { name: "{{path.basename}}", path: "{{path}}", cluster: eu, namespace: shop-web }
  - name: spy
    generators: [{ git: { repository: https://github.com/acme/secrets, directories: [{ path: "*" }] } }]
    template: { name: "{{path.basename}}", path: "{{path}}", cluster: eu, namespace: shop-web }
`;
    const wanted = directoriesWanted(source(text));
    assert.deepEqual(
      wanted.map((request) => request.repository),
      [repository],
    );
    const directories = new Map(wanted.map((request) => [directoriesKey(request), ["deploy/web"]]));
    const check = checkApplicationFile({ ...source(text), directories });
    assert.deepEqual(check, {
      valid: false,
      problems: [
        {
          line: 6,
          column: 39,
          path: "applicationSets[1].generators[0].git.repository",
          message: "project shop does not allow the repository https://github.com/acme/secrets: add it to its sourceRepos",
        },
      ],
    });
  });

  const mistakes: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
    [
      "clusters, projects and all else that belongs to the platform",
      "applications: []\nclusters: []\nprojects: []\nsyncWindows: []\nremoteBases: []\n",
      ["clusters", "projects", "syncWindows", "remoteBases"].map(
        (key, index) => `${index + 2}:1 ${key}: is not a key of this mapping: known keys are applications, applicationSets`,
      ),
    ],
    [
      "another project",
      "applications: [{ name: web, path: deploy, cluster: eu, namespace: shop-a, project: base }]\n",
      ['1:84 applications[0].project: this file belongs to project shop: take "base" out'],
    ],
    [
      "what the project does not allow",
      `applications:
  - { name: a, path: other, cluster: eu, namespace: shop-a }
  - { name: b, path: deploy, cluster: us, namespace: shop-a }
  - { name: c, path: deploy, cluster: eu, namespace: kube-system }
  - { name: d, repository: https://github.com/acme/platform, path: deploy, cluster: eu }
  - { name: e, repository: "https://github.com/acme/shop/../platform", path: deploy, cluster: eu }
`,
      [
        "2:22 applications[0].path: project shop does not allow the path other: add it to its paths",
        "3:39 applications[1].cluster: project shop does not allow the cluster us: add it to its destinations".replace(
          "3:39",
          "3:39",
        ),
        "4:54 applications[2].namespace: project shop does not allow the namespace kube-system of cluster eu: add it to its destinations",
        "5:28 applications[3].repository: project shop does not allow the repository https://github.com/acme/platform: add it to its sourceRepos",
        "6:28 applications[4].repository: project shop does not allow the repository https://github.com/acme/shop/../platform: add it to its sourceRepos",
      ],
    ],
    [
      "a cluster that is not there, and a dependency that none has",
      "applications: [{ name: web, path: deploy, cluster: ue, dependsOn: [databse] }]\n",
      [
        '1:52 applications[0].cluster: there is no cluster "ue": did you mean "eu"?',
        '1:68 applications[0].dependsOn[0]: there is no application "databse": did you mean "database"?',
      ],
    ],
    [
      "nothing of use",
      "applications:\n",
      ["1:14 applications: must be a list, and is empty: write [] for none, or begin each entry with a dash"],
    ],
    ["no key of use", "{}\n", ['1:1 : needs one of the keys "applications" and "applicationSets"']],
  ];
  for (const [title, text, expected] of mistakes)
    test(`${title}: the mistake, with its place and what to do`, () => assert.deepEqual(problems(text), expected));

  test("a name that another file has is a mistake where the caller says so", () => {
    const text = "applications: [{ name: database, path: deploy, cluster: eu, namespace: shop-a }]\n";
    assert.equal(checkApplicationFile(source(text)).valid, true);
    assert.deepEqual(checkApplicationFile({ ...source(text), taken: ["database"] }), {
      valid: false,
      problems: [
        {
          line: 1,
          column: 24,
          path: "applications[0].name",
          message: '"database" is an application of another file already: names are unique',
        },
      ],
    });
  });

  test("all problems are one error, a line each, with the place of the first as facts", () => {
    assert.throws(
      () => parseApplicationFile(source("applications: [{ name: web, path: other, cluster: ue }]\nnonsense: 1\n")),
      (error: unknown) => {
        assert.ok(error instanceof DriftlessError);
        assert.equal(error.code, "config");
        assert.equal(
          error.message,
          'driftless.yaml:1:51: applications[0].cluster: there is no cluster "ue": did you mean "eu"?\n' +
            "driftless.yaml:2:1: nonsense: is not a key of this mapping: known keys are applications, applicationSets",
        );
        assert.deepEqual(error.facts, { file: "driftless.yaml", line: 1, column: 51, problems: 2 });
        return true;
      },
    );
  });

  test("a file is a team's when it holds nothing but what teams may state", () => {
    assert.equal(isApplicationFile("applications: []\n"), true);
    assert.equal(isApplicationFile("applicationSets: []\napplications: []\n"), true);
    assert.equal(isApplicationFile("applications: []\nclusters: []\n"), false);
    assert.equal(isApplicationFile("applications: []\nprojects: []\n"), false);
    assert.equal(isApplicationFile("a: [\n"), false);
    assert.equal(isApplicationFile("- a\n"), false);
    assert.equal(isApplicationFile("{}\n"), false);
    assert.equal(isApplicationFile(""), false);
  });
});
