import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { checkConfiguration, parseConfiguration } from "../../lib/config/configuration.ts";
import { DriftlessError } from "../../lib/errors.ts";

const repository = "https://github.com/acme/platform";
const parse = (text: string) => parseConfiguration({ text, file: "driftless.yaml", repository });

/** What the error says, a line each; fails when there is none. */
function refusal(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof DriftlessError, String(error));
    assert.equal(error.code, "config");
    return error.message.split("\n");
  }
  return assert.fail("the text was accepted");
}

const clusters = "clusters: [{ name: local, context: admin }]\n";
/** One application whose extra lines begin at line 6, in column 5. */
const withFields = (...lines: readonly string[]): string =>
  [
    `${clusters}applications:`,
    "  - name: shop",
    "    path: overlays/qa",
    "    cluster: local",
    ...lines.map((line) => `    ${line}`),
    "",
  ].join("\n");

const defaultSync = {
  mode: "auto",
  prune: true,
  allowEmpty: false,
  conflicts: "force",
  createNamespace: false,
  timeout: 300,
  hookTimeout: 3600,
  retry: { limit: 5, backoff: { duration: 5, factor: 2, maxDuration: 180 } },
} as const;

suite("driftless.yaml", () => {
  test("a complete file gives what it says", () => {
    const text = `# yaml-language-server: $schema=./driftless.schema.json
clusters:
  - name: prod
    eks: { name: prod-eu, region: eu-central-1 }
  - name: local
    context: admin
applications:
  - name: guestbook-qa
    repository: https://github.com/acme/guestbook
    targetRevision: release/1.2
    path: overlays/qa
    cluster: prod
    namespace: guestbook-qa
    sync:
      mode: approve
      prune: false
      allowEmpty: true
      conflicts: fail
      createNamespace: true
      timeout: 1h30m
      hookTimeout: 40m
      retry: { limit: 3, backoff: { duration: 10s, factor: 3, maxDuration: 10m } }
    drift: report
    additions: drift
    ignoreDifferences:
      - { group: apps, kind: Deployment, jsonPointers: [/spec/replicas] }
      - { kind: "*", name: web, namespace: shop, jqPathExpressions: [.data.key], managedFieldsManagers: [vpa] }
    dependsOn: [database]
    rollback: auto
    syncWindows:
      - { kind: allow, schedule: "0 22 * * 1-5", duration: 8h, timeZone: Europe/Berlin }
    suspend: { owner: alice, reason: the migration runs, until: 2026-01-31T18:00:00+01:00 }
  - { name: database, path: database, cluster: prod }
syncWindows:
  - { kind: deny, schedule: 0 0 24 12 *, duration: 72h }
healthCheckExprs:
  - apiVersion: example.com/v1
    kind: Database
    current: status.ready
    inProgress: "!status.ready"
    failed: status.broken
`;
    assert.deepEqual(parse(text), {
      clusters: [
        { name: "prod", kind: "eks", labels: {}, clusterName: "prod-eu", region: "eu-central-1", role: "", externalId: "" },
        { name: "local", kind: "kubeconfig", labels: {}, context: "admin" },
      ],
      projects: [],
      applications: [
        {
          name: "guestbook-qa",
          project: "default",
          sources: [
            {
              kind: "git",
              repository: "https://github.com/acme/guestbook",
              targetRevision: "release/1.2",
              path: "overlays/qa",
            },
          ],
          cluster: "prod",
          namespace: "guestbook-qa",
          sync: {
            mode: "approve",
            prune: false,
            allowEmpty: true,
            conflicts: "fail",
            createNamespace: true,
            timeout: 5400,
            hookTimeout: 2400,
            retry: { limit: 3, backoff: { duration: 10, factor: 3, maxDuration: 600 } },
          },
          drift: "report",
          additions: "drift",
          ignoreDifferences: [
            {
              group: "apps",
              kind: "Deployment",
              name: "",
              namespace: "",
              jsonPointers: ["/spec/replicas"],
              jqPathExpressions: [],
              managedFieldsManagers: [],
            },
            {
              group: "",
              kind: "*",
              name: "web",
              namespace: "shop",
              jsonPointers: [],
              jqPathExpressions: [".data.key"],
              managedFieldsManagers: ["vpa"],
            },
          ],
          dependsOn: ["database"],
          rollback: "auto",
          syncWindows: [
            { kind: "deny", schedule: "0 0 24 12 *", duration: 259_200, timeZone: "UTC" },
            { kind: "allow", schedule: "0 22 * * 1-5", duration: 28_800, timeZone: "Europe/Berlin" },
          ],
          suspend: { owner: "alice", reason: "the migration runs", until: "2026-01-31T17:00:00.000Z" },
        },
        {
          name: "database",
          project: "default",
          sources: [{ kind: "git", repository: "https://github.com/acme/platform", targetRevision: "main", path: "database" }],
          cluster: "prod",
          namespace: "",
          sync: defaultSync,
          drift: "heal",
          additions: "report",
          ignoreDifferences: [],
          dependsOn: [],
          rollback: "manual",
          syncWindows: [{ kind: "deny", schedule: "0 0 24 12 *", duration: 259_200, timeZone: "UTC" }],
        },
      ],
      healthCheckExprs: [
        {
          apiVersion: "example.com/v1",
          kind: "Database",
          current: "status.ready",
          inProgress: "!status.ready",
          failed: "status.broken",
        },
      ],
      remoteBases: [],
      repositories: [],
    });
  });

  test("every default is filled in, and the repository is the one that holds the file", () => {
    assert.deepEqual(parse(withFields()).applications, [
      {
        name: "shop",
        project: "default",
        sources: [{ kind: "git", repository: "https://github.com/acme/platform", targetRevision: "main", path: "overlays/qa" }],
        cluster: "local",
        namespace: "",
        sync: defaultSync,
        drift: "heal",
        additions: "report",
        ignoreDifferences: [],
        dependsOn: [],
        rollback: "manual",
        syncWindows: [],
      },
    ]);
  });

  test("a sync policy that states one field keeps the defaults of the others", () => {
    const { sync } = parse(withFields("sync:", "  conflicts: fail", "  retry: { limit: 0 }")).applications[0] ?? {};
    assert.deepEqual(sync, { ...defaultSync, conflicts: "fail", retry: { ...defaultSync.retry, limit: 0 } });
  });

  test("an empty list of applications is a wish; a missing or empty key is a mistake", () => {
    assert.deepEqual(parse("clusters: []\napplications: []\n"), {
      clusters: [],
      projects: [],
      healthCheckExprs: [],
      applications: [],
      remoteBases: [],
      repositories: [],
    });
    assert.deepEqual(refusal("clusters: []\n"), [
      'driftless.yaml:1:1: needs one of the keys "applications" and "applicationSets"',
    ]);
    assert.deepEqual(refusal("clusters: []\napplications:\n"), [
      "driftless.yaml:2:14: applications: must be a list, and is empty: write [] for none, or begin each entry with a dash",
    ]);
    for (const empty of ["", "\n# only a comment\n", "---\n"]) {
      assert.deepEqual(
        refusal(empty),
        ['driftless.yaml:1:1: is empty: write the keys "clusters" and "applications"'],
        JSON.stringify(empty),
      );
    }
  });

  const paths: readonly (readonly [string, string])[] = [
    [".", ""],
    ["./", ""],
    ["overlays/qa/", "overlays/qa"],
    ["./overlays/./qa", "overlays/qa"],
    ["with space/ümläut", "with space/ümläut"],
    ["..fine/a..b", "..fine/a..b"],
  ];
  for (const [written, path] of paths) {
    test(`the path ${JSON.stringify(written)} is ${JSON.stringify(path)}`, () => {
      const [application] = parse(
        `${clusters}applications: [{ name: a, cluster: local, path: ${JSON.stringify(written)} }]`,
      ).applications;
      assert.deepEqual(application?.sources, [{ kind: "git", repository, targetRevision: "main", path }]);
    });
  }

  const timeouts: readonly (readonly [string, number])[] = [
    ["1s", 1],
    ["90s", 90],
    ["5m", 300],
    ["1h", 3600],
    ["1h30m5s", 5405],
    ["1.5h", 5400],
    ["2000ms", 2],
    ["8h", 28800],
  ];
  for (const [written, seconds] of timeouts) {
    test(`the timeout ${written} is ${seconds} seconds`, () => {
      assert.equal(parse(withFields(`sync: { timeout: ${written} }`)).applications[0]?.sync.timeout, seconds);
    });
  }

  test("an alias stands for the value at its anchor", () => {
    const text = `${clusters}applications:
  - { name: a, path: a, cluster: local, sync: &careful { prune: false } }
  - { name: b, path: b, cluster: local, sync: *careful }
`;
    assert.deepEqual(
      parse(text).applications.map(({ sync }) => sync.prune),
      [false, false],
    );
  });

  test("a byte order mark and Windows line ends are read over", () => {
    assert.equal(parse(`\u{feff}${withFields("namespace: shop").replaceAll("\n", "\r\n")}`).applications[0]?.namespace, "shop");
  });

  test("all problems are reported, in the order of the file", () => {
    const text = `clusters:
  - name: Prod
    eks: { name: prod-eu, region: Frankfurt }
  - name: local
applications:
  - nmae: shop
    path: /abs
    cluster: local
    drift: heel
  - name: shop
    path: a
    cluster: local
    sync: { prune: yes, timeout: soon }
`;
    assert.deepEqual(refusal(text), [
      'driftless.yaml:2:11: clusters[0].name: must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit, and is "Prod"',
      'driftless.yaml:3:35: clusters[0].eks.region: must be an AWS region such as eu-central-1, and is "Frankfurt"',
      'driftless.yaml:4:5: clusters[1]: needs one of the keys "context" and "eks"',
      'driftless.yaml:6:5: applications[0].nmae: is not a key of this mapping: did you mean "name"?',
      'driftless.yaml:6:5: applications[0]: needs the key "name" (unique name of the application)',
      'driftless.yaml:7:11: applications[0].path: must be a folder inside the repository: no leading slash, no .. part, no backslash; . is the root, and is "/abs"',
      'driftless.yaml:9:12: applications[0].drift: must be heal or report or prevent or ignore, and is "heel": did you mean "heal"?',
      'driftless.yaml:13:20: applications[1].sync.prune: must be true or false, and is "yes"',
      'driftless.yaml:13:34: applications[1].sync.timeout: must be a duration such as 90s, 5m or 1h30m, and is "soon"',
    ]);
  });

  test("the error carries file, line, column and count as facts", () => {
    assert.throws(
      () => parse(withFields("drift: heel", "namspace: x")),
      (error: DriftlessError) => {
        assert.deepEqual(error.facts, { file: "driftless.yaml", line: 6, column: 12, problems: 2 });
        assert.equal(error.retryable, false);
        return true;
      },
    );
  });

  const refused: readonly (readonly [string, string, string])[] = [
    [
      "a key that is a typing error",
      withFields("namspace: x"),
      '6:5: applications[0].namspace: is not a key of this mapping: did you mean "namespace"?',
    ],
    [
      "a key in other capitals",
      withFields("TargetRevision: x"),
      '6:5: applications[0].TargetRevision: is not a key of this mapping: did you mean "targetRevision"?',
    ],
    [
      "Argo CD's word for the repository",
      withFields("repoURL: x"),
      '6:5: applications[0].repoURL: is not a key of this mapping: write "repository"',
    ],
    [
      "Argo CD's self-heal",
      withFields("sync: { selfHeal: true }"),
      '6:13: applications[0].sync.selfHeal: is not a key of this mapping: write "drift: heal" beside "name"',
    ],
    [
      "a key that nothing is near",
      withFields("sync: { unicorn: 1 }"),
      "6:13: applications[0].sync.unicorn: is not a key of this mapping: known keys are mode, prune, allowEmpty, conflicts, createNamespace, timeout, hookTimeout, retry",
    ],
    [
      "a key named __proto__",
      withFields("__proto__: { prune: false }"),
      "6:5: applications[0].__proto__: is not a key of this mapping: known keys are name, project, repository, targetRevision, path, chart, directory, kustomize, helm, sources, cluster, namespace, sync, drift, additions, ignoreDifferences, dependsOn, rollback, syncWindows, suspend",
    ],
    [
      "a merge key",
      withFields("<<: { drift: report }"),
      "6:5: applications[0].<<: is not a key of this mapping: merge keys are not read: write the fields out, or alias the whole value",
    ],
    ["a key that is a list", withFields("? [a]", ": b"), "6:7: applications[0]: a key must be a plain word"],
    [
      "a key that stands twice",
      withFields("drift: heal", "drift: report"),
      "7:5: applications[0].drift: stands twice in this mapping: keep one",
    ],
    [
      "a key that stands twice at the top",
      `${clusters}applications: []\napplications: []\n`,
      "3:1: applications: stands twice in this mapping: keep one",
    ],
    [
      "a cluster that is not there",
      withFields().replace("cluster: local", "cluster: locla"),
      '5:14: applications[0].cluster: there is no cluster "locla": did you mean "local"?',
    ],
    [
      "a cluster unlike any",
      withFields().replace("cluster: local", "cluster: production"),
      '5:14: applications[0].cluster: there is no cluster "production": add it to "clusters", or name one of local',
    ],
    [
      "a cluster where there are none",
      "clusters: []\napplications: [{ name: a, path: a, cluster: c }]",
      '2:45: applications[0].cluster: there is no cluster "c": add it to "clusters"',
    ],
    [
      "two applications of one name",
      `${withFields()}  - { name: shop, path: b, cluster: local }\n`,
      '6:13: applications[1].name: "shop" is the name of applications[0] already: names are unique',
    ],
    [
      "two clusters of one name",
      "clusters: [{ name: a, context: x }, { name: a, context: y }]\napplications: []",
      '1:45: clusters[1].name: "a" is the name of clusters[0] already: names are unique',
    ],
    [
      "a cluster opened in two ways",
      "clusters: [{ name: a, context: x, eks: { name: b, region: us-east-1 } }]\napplications: []",
      '1:35: clusters[0]: has "context" and "eks": keep one of them',
    ],
    [
      "a name with an underscore",
      withFields().replace("shop", "my_shop"),
      '3:11: applications[0].name: must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit, and is "my_shop"',
    ],
    [
      "a name of 64 characters",
      withFields().replace("shop", "a".repeat(64)),
      "3:11: applications[0].name: must be at most 63 characters, and has 64",
    ],
    [
      "an empty name",
      withFields().replace("shop", '""'),
      '3:11: applications[0].name: must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit, and is ""',
    ],
    [
      "a name that YAML reads as a number",
      withFields().replace("shop", "0123"),
      "3:11: applications[0].name: must be text, and is the number 0123: put it in quotes",
    ],
    [
      "a value left out",
      withFields("namespace:"),
      "6:15: applications[0].namespace: must be text, and is empty: write a value, or leave the key out",
    ],
    [
      "a path that climbs out",
      withFields().replace("overlays/qa", "a/../../b"),
      '4:11: applications[0].path: must be a folder inside the repository: no leading slash, no .. part, no backslash; . is the root, and is "a/../../b"',
    ],
    [
      "a path of Windows",
      withFields().replace("overlays/qa", "'C:\\x'"),
      '4:11: applications[0].path: must be a folder inside the repository: no leading slash, no .. part, no backslash; . is the root, and is "C:\\\\x"',
    ],
    [
      "a commit id as branch",
      withFields("targetRevision: 0123456789abcdef0123456789abcdef01234567"),
      '6:21: applications[0].targetRevision: must be the name of a branch (not a commit id, not HEAD, not refs/heads/...), and is "0123456789abcdef0123456789abcdef01234567"',
    ],
    [
      "HEAD as branch",
      withFields("targetRevision: HEAD"),
      '6:21: applications[0].targetRevision: must be the name of a branch (not a commit id, not HEAD, not refs/heads/...), and is "HEAD"',
    ],
    [
      "credentials in a URL",
      withFields("repository: https://me:hunter2@github.com/a/b"),
      "6:17: applications[0].repository: holds credentials: take them out of the URL, and renew them, for they are in Git's history",
    ],
    [
      "a token in a URL",
      withFields("repository: https://ghp_0123456789012345678901234567890123@github.com/a/b"),
      "6:17: applications[0].repository: holds credentials: take them out of the URL, and renew them, for they are in Git's history",
    ],
    [
      "a timeout without unit",
      withFields("sync: { timeout: 300 }"),
      "6:22: applications[0].sync.timeout: must be text, and is the number 300: write for example 90s",
    ],
    [
      "a timeout of nothing",
      withFields("sync: { timeout: 0s }"),
      '6:22: applications[0].sync.timeout: must be at least 1s and at most 8h, and is "0s"',
    ],
    [
      "a timeout of days",
      withFields("sync: { timeout: 25h }"),
      '6:22: applications[0].sync.timeout: must be at least 1s and at most 8h, and is "25h"',
    ],
    [
      "a timeout of half a second",
      withFields("sync: { timeout: 1500ms }"),
      '6:22: applications[0].sync.timeout: must be whole seconds, and is "1500ms"',
    ],
    [
      "a list where a mapping belongs",
      withFields("sync: [prune]"),
      "6:11: applications[0].sync: must be a mapping (keys mode, prune, allowEmpty, conflicts, createNamespace, timeout, hookTimeout, retry), and is a list",
    ],
    [
      "an application that is a word",
      `${clusters}applications: [shop]`,
      '2:16: applications[0]: must be a mapping (keys name, project, repository, targetRevision, path, chart, directory, kustomize, helm, sources, cluster, namespace, sync, drift, additions, ignoreDifferences, dependsOn, rollback, syncWindows, suspend), and is "shop"',
    ],
    [
      "a mapping where a list belongs",
      `${clusters}applications: { name: shop }`,
      "2:15: applications: must be a list, and is a mapping: write [] for none, or begin each entry with a dash",
    ],
    [
      "an alias without anchor",
      withFields("sync: *careful"),
      "6:11: applications[0].sync: the alias *careful has no anchor before it: write &careful at the value it stands for",
    ],
    [
      "text that is no YAML",
      "clusters: [\n",
      "2:1: is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    ["a tag of its own", withFields("drift: !env DRIFT"), "6:12: is not valid YAML: Unresolved tag: !env"],
    [
      "two documents",
      `${clusters}applications: []\n---\na: b\n`,
      "3:1: must be one document: remove the --- and what follows it",
    ],
    ["a file of more than a mebibyte", `#${"x".repeat(1024 * 1024)}`, "1:1: is larger than 1048576 characters"],
  ];
  for (const [what, text, expected] of refused) {
    test(`${what} is refused, with the place and what to do`, () => {
      assert.ok(refusal(text).includes(`driftless.yaml:${expected}`), refusal(text).join("\n"));
    });
  }

  test("credentials are never repeated in an error", () => {
    const text = withFields(
      "repository: 'https://me:hunter2@github.com/a b'",
      "drift: 'https://me:hunter2@x/'",
      "https://me:hunter2@x: y",
    );
    assert.doesNotMatch(refusal(text).join("\n"), /hunter2/);
  });

  test("a hundred problems are listed, the rest is counted", () => {
    const lines = refusal(withFields(...Array.from({ length: 150 }, (_, index) => `wrong${index}: 1`)));
    assert.equal(lines.length, 101);
    assert.equal(lines.at(-1), "and 50 more");
  });

  test("any text is read or refused with a place inside it", () => {
    const words = fc.constantFrom(
      "clusters:",
      "applications:",
      "- ",
      "  ",
      "\n",
      "name: a",
      "path: .",
      "cluster: a",
      "context: c",
      "{",
      "}",
      "[",
      "]",
      "&a ",
      "*a",
      "!!str ",
      "? ",
      "|",
      '"',
      "#",
      "\t",
      "\u{1f600}",
      "<<: ",
      "__proto__: ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(words, { maxLength: 30 }).map((all) => all.join("")),
        ),
        (text) => {
          const check = checkConfiguration({ text, file: "f", repository });
          if (check.valid) return;
          const lines = text.split("\n");
          assert.ok(check.problems.length > 0);
          for (const { line, column } of check.problems) {
            assert.ok(line >= 1 && line <= lines.length, `line ${line}`);
            assert.ok(
              column >= 1 && column <= lines[line - 1]!.length + 1,
              `column ${column} in ${JSON.stringify(lines[line - 1])}`,
            );
          }
        },
      ),
      { numRuns: 500, examples: [["*apath: .\ncluster: aclusters:"]] },
    );
  });

  test("hostile files are refused without long work: bombs, depth, many keys, many aliases", () => {
    const bomb = `a: &a [x,x]\n${"bcdefghij"
      .split("")
      .map((letter, index) => `${letter}: &${letter} [*${"abcdefghi"[index]},*${"abcdefghi"[index]}]`)
      .join("\n")}`;
    const wide = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`).join("\n");
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const aliases = `${clusters}applications:\n  - &a { name: a, path: a, cluster: local }\n${"  - *a\n".repeat(20_000)}`;
    for (const text of [bomb, wide, deep, aliases, `applications: &a [*a]\nclusters: *a`]) {
      assert.equal(checkConfiguration({ text, file: "f", repository }).valid, false);
    }
  });
});
