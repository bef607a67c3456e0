import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkConfiguration, parseConfiguration } from "../../lib/config/configuration.ts";
import type { Configuration } from "../../lib/model/application.ts";

const repository = "https://github.com/acme/platform";
const parse = (text: string): Configuration => parseConfiguration({ text, file: "driftless.yaml", repository });

/** `line:column path: message`. */
function problems(text: string): readonly string[] {
  const check = checkConfiguration({ text, file: "driftless.yaml", repository });
  assert.ok(!check.valid, "the text was accepted");
  return check.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

const clusters = `clusters:
  - { name: eu, context: eu, labels: { env: prod, acme.com/region: eu-1 } }
  - { name: us, eks: { name: us, region: us-east-1, role: "arn:aws:iam::111122223333:role/reach", externalId: abc } }
`;
/** Whose extra lines begin at line 8, in column 5. */
const withProject = (lines: readonly string[], applications = "[]"): string =>
  `${clusters}projects:
  - name: shop
    sourceRepos: [https://github.com/acme/*]
    destinations: [{ cluster: "*", namespace: shop-* }]
${lines.map((line) => `    ${line}\n`).join("")}applications: ${applications}
`;

suite("projects in driftless.yaml", () => {
  test("a complete project gives what it says", () => {
    const text = `${clusters}projects:
  - name: shop
    description: The shop
    sourceRepos: [https://github.com/acme/*, oci://registry.example.com/charts]
    paths: [deploy/**]
    destinations: [{ cluster: eu, namespace: shop-* }]
    clusterResourceWhitelist: [{ kind: Namespace }]
    namespaceResourceWhitelist: [{ group: "*", kind: "*" }, { group: apps, kind: Deployment, name: web-* }]
    namespaceResourceBlacklist: [{ kind: ResourceQuota }]
    identity: role
    roles: [{ cluster: "*", arn: "arn:aws:iam::111122223333:role/shop", externalId: x1 }]
    syncWindows: [{ kind: deny, schedule: "0 0 * * 6", duration: 48h }]
    applicationFiles: [{ repository: https://github.com/acme/shop }]
applications: []
`;
    assert.deepEqual(parse(text).projects, [
      {
        name: "shop",
        description: "The shop",
        sourceRepos: ["https://github.com/acme/*", "oci://registry.example.com/charts"],
        paths: ["deploy/**"],
        destinations: [{ cluster: "eu", namespace: "shop-*" }],
        clusterResourceWhitelist: [{ group: "", kind: "Namespace", name: "*" }],
        namespaceResourceWhitelist: [
          { group: "*", kind: "*", name: "*" },
          { group: "apps", kind: "Deployment", name: "web-*" },
        ],
        namespaceResourceBlacklist: [{ group: "", kind: "ResourceQuota", name: "*" }],
        identity: "role",
        roles: [{ cluster: "*", arn: "arn:aws:iam::111122223333:role/shop", externalId: "x1" }],
        syncWindows: [{ kind: "deny", schedule: "0 0 * * 6", duration: 172_800, timeZone: "UTC" }],
        applicationFiles: [{ repository: "https://github.com/acme/shop", targetRevision: "main", path: "driftless.yaml" }],
      },
    ]);
  });

  test("what a project leaves out is all paths, all kinds in namespaces, and no kind without one", () => {
    const [project] = parse(withProject(["identity: impersonate"])).projects;
    assert.deepEqual(project?.paths, ["**"]);
    assert.deepEqual(project?.namespaceResourceWhitelist, [{ group: "*", kind: "*", name: "*" }]);
    assert.deepEqual(project?.clusterResourceWhitelist, []);
    assert.deepEqual(project?.namespaceResourceBlacklist, []);
  });

  test("a list that is empty stays empty", () => {
    const [project] = parse(withProject(["identity: impersonate", "paths: []", "namespaceResourceWhitelist: []"])).projects;
    assert.deepEqual(project?.paths, []);
    assert.deepEqual(project?.namespaceResourceWhitelist, []);
  });

  test("clusters carry their labels, the role that opens them and its external id", () => {
    assert.deepEqual(parse(`${clusters}applications: []\n`).clusters, [
      { name: "eu", kind: "kubeconfig", context: "eu", labels: { env: "prod", "acme.com/region": "eu-1" } },
      {
        name: "us",
        kind: "eks",
        clusterName: "us",
        region: "us-east-1",
        role: "arn:aws:iam::111122223333:role/reach",
        externalId: "abc",
        labels: {},
      },
    ]);
  });

  test("an application is in the project that it names, and in default where there are none", () => {
    const named = withProject(
      ["identity: impersonate"],
      "[{ name: web, path: web, cluster: eu, namespace: shop-a, project: shop }]",
    );
    assert.equal(parse(named).applications[0]?.project, "shop");
    const text = `${clusters}applications: [{ name: web, path: web, cluster: eu }, { name: api, path: api, cluster: eu, project: default }]\n`;
    assert.deepEqual(
      parse(text).applications.map(({ project }) => project),
      ["default", "default"],
    );
  });

  test("the windows of the document, of the project and of the application all count", () => {
    const window = (hour: number): string => `[{ kind: deny, schedule: "0 ${hour} * * *", duration: 1h }]`;
    const text = `${withProject(
      ["identity: impersonate", `syncWindows: ${window(2)}`],
      `[{ name: web, path: web, cluster: eu, namespace: shop-a, project: shop, syncWindows: ${window(3)} }]`,
    )}syncWindows: ${window(1)}\n`;
    const { applications, projects } = parse(text);
    const schedules = (windows: Configuration["applications"][number]["syncWindows"] = []): readonly string[] =>
      windows.map(({ schedule }) => schedule);
    assert.deepEqual(schedules(applications[0]?.syncWindows), ["0 1 * * *", "0 2 * * *", "0 3 * * *"]);
    assert.deepEqual(schedules(projects[0]?.syncWindows), ["0 1 * * *", "0 2 * * *"]);
  });

  const project = ["identity: impersonate"];
  const mistakes: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
    [
      "a project without an identity",
      withProject([]),
      [
        '5:5 projects[0]: needs the key "identity" (as whom applications come to a cluster: impersonate the user driftless:PROJECT, role for an IAM role, installation for Driftless\' own identity)',
      ],
    ],
    [
      "an identity that is empty",
      withProject(["identity:"]),
      ["8:14 projects[0].identity: must be impersonate or role or installation, and is empty"],
    ],
    [
      "an identity that is a typing error",
      withProject(["identity: imperonate"]),
      [
        '8:15 projects[0].identity: must be impersonate or role or installation, and is "imperonate": did you mean "impersonate"?',
      ],
    ],
    [
      "two projects of one name",
      `${clusters}projects:\n${"  - { name: shop, sourceRepos: [], destinations: [], identity: impersonate }\n".repeat(2)}applications: []\n`,
      ['6:13 projects[1].name: "shop" is the name of projects[0] already: names are unique'],
    ],
    [
      "an application without a project where there are projects",
      withProject(project, "[{ name: web, path: web, cluster: eu }]"),
      ['9:16 applications[0]: needs the key "project": since there are projects, every application names one of shop'],
    ],
    [
      "a project that is a typing error",
      withProject(project, "[{ name: web, path: web, cluster: eu, project: shpo }]"),
      ['9:62 applications[0].project: there is no project "shpo": did you mean "shop"?'],
    ],
    [
      "default where there are projects",
      withProject(project, "[{ name: web, path: web, cluster: eu, project: default }]"),
      ['9:62 applications[0].project: there is no project "default": add it to "projects", or name one of shop'],
    ],
    [
      "a project where there are none",
      `${clusters}applications: [{ name: web, path: web, cluster: eu, project: shop }]\n`,
      ['4:62 applications[0].project: there is no project "shop": add it to "projects", or take it out'],
    ],
    [
      "identity role without roles",
      withProject(["identity: role"]),
      ['8:15 projects[0].identity: identity role needs "roles": the role for each cluster'],
    ],
    [
      "roles that nobody assumes",
      withProject(["identity: impersonate", 'roles: [{ cluster: eu, arn: "arn:aws:iam::111122223333:role/shop" }]']),
      [
        '9:12 projects[0].roles: are assumed with "identity: role" only, and identity is impersonate: change it, or take the roles out',
      ],
    ],
    [
      "a role that is no role",
      withProject(["identity: role", 'roles: [{ cluster: eu, arn: "arn:aws:iam::111122223333:user/alice" }]']),
      [
        '9:33 projects[0].roles[0].arn: must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/driftless-shop, and is "arn:aws:iam::111122223333:user/alice"',
      ],
    ],
    [
      "a cluster that no role opens",
      withProject(
        ["identity: role", 'roles: [{ cluster: us, arn: "arn:aws:iam::111122223333:role/shop" }]'],
        "[{ name: web, path: web, cluster: eu, namespace: shop-a, project: shop }]",
      ),
      ["10:49 applications[0].cluster: project shop has no role for the cluster eu: add it to its roles"],
    ],
    [
      "a pattern that no cluster has",
      withProject([
        "identity: role",
        'roles: [{ cluster: ux, arn: "arn:aws:iam::111122223333:role/shop" }, { cluster: "prod-*", arn: "arn:aws:iam::111122223333:role/shop" }]',
      ]),
      [
        '9:24 projects[0].roles[0].cluster: there is no cluster "ux": did you mean "us"?',
        '9:85 projects[0].roles[1].cluster: there is no cluster "prod-*": write the name of an entry of "clusters", or a pattern of names',
      ],
    ],
    [
      "an application that its project refuses",
      withProject(
        ["identity: impersonate", "paths: [deploy/**]"],
        `
  - { name: a, path: web, cluster: eu, namespace: shop-a, project: shop }
  - { name: b, repository: https://github.com/evil/x, path: deploy, cluster: eu, namespace: other, project: shop }
  - name: c
    project: shop
    cluster: eu
    namespace: shop-c
    sources: [{ path: deploy }, { repository: https://github.com/evil/y, ref: values }]
  - name: d
    project: shop
    cluster: eu
    namespace: shop-d
    chart: { repository: oci://evil.example/charts, name: x, version: 1.0.0, digest: "sha256:${"0".repeat(64)}" }`,
      ),
      [
        "11:22 applications[0].path: project shop does not allow the path web: add it to its paths",
        "12:28 applications[1].repository: project shop does not allow the repository https://github.com/evil/x: add it to its sourceRepos",
        "12:93 applications[1].namespace: project shop does not allow the namespace other of cluster eu: add it to its destinations",
        "17:47 applications[2].sources[1].repository: project shop does not allow the repository https://github.com/evil/y: add it to its sourceRepos",
        "22:26 applications[3].chart.repository: project shop does not allow the repository oci://evil.example/charts: add it to its sourceRepos",
      ],
    ],
    [
      "Argo CD's words",
      withProject([...project, "clusterResourceBlacklist: []", "sourceNamespaces: []"]),
      [
        '9:5 projects[0].clusterResourceBlacklist: is not a key of this mapping: write "clusterResourceWhitelist": what it does not name is refused',
        '10:5 projects[0].sourceNamespaces: is not a key of this mapping: write "applicationFiles": the files in which teams state their own applications',
      ],
    ],
    [
      "Argo CD's exclamation marks",
      withProject([...project, 'paths: ["!secrets/**"]']),
      [
        '9:13 projects[0].paths[0]: must be a glob inside the repository, such as deploy/*/overlays or deploy/**: * is any text within a folder\'s name, ** any number of folders; no leading slash, no .. part, none of ? [ ] { } ! \\, and is "!secrets/**"',
      ],
    ],
    [
      "a file of two projects",
      withProject([...project, "applicationFiles: [{ repository: a }, { repository: a, path: driftless.yaml }]"]),
      [
        "9:43 projects[0].applicationFiles[1]: is the file of projects[0].applicationFiles[0] already: a file belongs to one project",
      ],
    ],
    [
      "an external id without a role",
      "clusters: [{ name: eu, eks: { name: eu, region: eu-central-1, externalId: abc } }]\napplications: []\n",
      ['1:75 clusters[0].eks.externalId: is given when a role is assumed: add "role"'],
    ],
    [
      "labels that Kubernetes would not take",
      'clusters: [{ name: eu, context: eu, labels: { "a b": c, d: "e f" } }]\napplications: []\n',
      [
        '1:45 clusters[0].labels.d: must be a value of a label: letters, digits, dashes, dots and underscores, and is "e f"',
        '1:45 clusters[0].labels: "a b" is no name of a label: write it as Kubernetes has it, such as team or acme.com/team',
      ],
    ],
    [
      "a label named __proto__",
      "clusters: [{ name: eu, context: eu, labels: { __proto__: c } }]\napplications: []\n",
      [
        '1:45 clusters[0].labels: "__proto__" is no name of a label: write it as Kubernetes has it, such as team or acme.com/team',
      ],
    ],
  ];
  for (const [title, text, expected] of mistakes)
    test(`${title}: the mistake, with its place and what to do`, () => assert.deepEqual(problems(text), expected));

  for (const glob of ["/deploy", "a/../b", "..", "a//b", "a**", "**b/c", "a/**b", "a?", "a[b]", "a{b}", "a\\b", "!a"])
    test(`the glob ${glob} is a mistake`, () => {
      assert.match(
        problems(withProject([...project, `paths: [${JSON.stringify(glob)}]`]))[0] ?? "",
        /paths\[0\]: must be a glob/,
      );
    });

  for (const glob of ["**", "*", "a/**", "**/a", "a/*/b-*", ".", "a..b", ".github/*"])
    test(`the glob ${glob} is taken`, () => {
      assert.deepEqual(parse(withProject([...project, `paths: [${JSON.stringify(glob)}]`])).projects[0]?.paths, [glob]);
    });
});
