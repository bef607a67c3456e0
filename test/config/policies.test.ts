import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { checkConfiguration } from "../../lib/config/configuration.ts";

/** What is wrong with the file, as `line:column: path: message`; nothing when it is good. */
function problemsOf(text: string): readonly string[] {
  const check = checkConfiguration({ text, file: "driftless.yaml", repository: "https://github.com/acme/platform" });
  if (check.valid) return [];
  return check.problems.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
}

const clusters = "clusters: [{ name: eu, context: eu }]\n";

/** One application, shop, with these keys; they stand in line 2. */
const shop = (keys: string): string => `${clusters}applications: [{ name: shop, path: shop, cluster: eu, ${keys} }]\n`;

/** Applications by name, with the names that each depends on; the first stands in line 3. */
function chart(dependsOn: Readonly<Record<string, readonly string[]>>): string {
  const entries = Object.entries(dependsOn).map(
    ([name, others]) => `  - { name: ${name}, path: a, cluster: eu, dependsOn: [${others.join(", ")}] }\n`,
  );
  return `${clusters}applications:\n${entries.join("")}`;
}

suite("policies in driftless.yaml", () => {
  const refused: readonly (readonly [string, string, string])[] = [
    [
      "a policy about drift that there is not",
      shop("drift: prevnt"),
      '2:62: applications[0].drift: must be heal or report or prevent or ignore, and is "prevnt": did you mean "prevent"?',
    ],
    [
      "a policy about additions that there is not",
      shop("additions: remove"),
      '2:66: applications[0].additions: must be ignore or report or drift, and is "remove"',
    ],
    [
      "ignored differences that name no field",
      shop("ignoreDifferences: [{ group: apps, kind: Deployment }]"),
      '2:75: applications[0].ignoreDifferences[0]: names no field: write "jsonPointers", "jqPathExpressions" or "managedFieldsManagers"',
    ],
    [
      "ignored differences without a kind",
      shop("ignoreDifferences: [{ jsonPointers: [/spec/replicas] }]"),
      '2:75: applications[0].ignoreDifferences[0]: needs the key "kind" (kind, such as Deployment; * stands for any text)',
    ],
    [
      "a path where a pointer has to stand",
      shop("ignoreDifferences: [{ kind: ConfigMap, jsonPointers: [/data, .data.key] }]"),
      "2:116: applications[0].ignoreDifferences[0].jsonPointers[1]: is no JSON pointer: it begins with a slash, as in /data/key",
    ],
    [
      "an expression of jq that does not end",
      shop('ignoreDifferences: [{ kind: ConfigMap, jqPathExpressions: [".data | select(.a"] }]'),
      '2:114: applications[0].ignoreDifferences[0].jqPathExpressions[0]: at character 18: ")" is missing before the end',
    ],
    [
      "more of jq than is read",
      shop('ignoreDifferences: [{ kind: ConfigMap, jqPathExpressions: [".data | to_entries[]"] }]'),
      '2:114: applications[0].ignoreDifferences[0].jqPathExpressions[0]: at character 9: "to_entries" is not read here; paths, [], [0], |, select, ==, !=, and, or, not, startswith, endswith, contains, has and test are',
    ],
    [
      "Driftless as a manager that is ignored",
      shop("ignoreDifferences: [{ kind: ConfigMap, managedFieldsManagers: [driftless] }]"),
      "2:118: applications[0].ignoreDifferences[0].managedFieldsManagers[0]: is Driftless itself: name somebody else",
    ],
    [
      "Flux's words for ignored differences",
      shop("ignoreDifferences: [{ kind: ConfigMap, jsonPointers: [/data], paths: [/data] }]"),
      '2:117: applications[0].ignoreDifferences[0].paths: is not a key of this mapping: write "jsonPointers"',
    ],
    [
      "Argo CD's option that is always on",
      shop("sync: { respectIgnoreDifferences: true }"),
      "2:63: applications[0].sync.respectIgnoreDifferences: is not a key of this mapping: leave it out: fields in ignoreDifferences are respected by every sync",
    ],
    [
      "a mode that there is not",
      shop("sync: { mode: report }"),
      '2:69: applications[0].sync.mode: must be auto or approve or manual, and is "report"',
    ],
    [
      "Argo CD's automated",
      shop("sync: { automated: { prune: true } }"),
      '2:63: applications[0].sync.automated: is not a key of this mapping: write "mode: auto" (or approve, or manual) in "sync", and its fields beside it',
    ],
    [
      "Flux's retryInterval",
      shop("retryInterval: 1m"),
      '2:55: applications[0].retryInterval: is not a key of this mapping: write "retry: { backoff: { duration: ... } }" in "sync"',
    ],
    [
      "a limit below none",
      shop("sync: { retry: { limit: -1 } }"),
      "2:79: applications[0].sync.retry.limit: must be from 0 to 1000, and is -1",
    ],
    [
      "a factor with a fraction",
      shop("sync: { retry: { backoff: { factor: 1.5 } } }"),
      "2:91: applications[0].sync.retry.backoff.factor: must be a whole number from 1 to 100, and is the number 1.5",
    ],
    [
      "a first pause above the longest",
      shop("sync: { retry: { backoff: { duration: 10m } } }"),
      '2:93: applications[0].sync.retry.backoff.duration: must be at most maxDuration, which is 3m, and is "10m"',
    ],
    [
      "hooks that may take a day",
      shop("sync: { hookTimeout: 24h }"),
      '2:76: applications[0].sync.hookTimeout: must be at least 1s and at most 8h, and is "24h"',
    ],
    [
      "a window of seconds",
      shop('syncWindows: [{ kind: deny, schedule: "0 0 * * *", duration: 30s }]'),
      '2:116: applications[0].syncWindows[0].duration: must be at least 1m and at most 8784h, and is "30s"',
    ],
    [
      "a schedule of six fields",
      shop('syncWindows: [{ kind: deny, schedule: "0 0 0 * * *", duration: 1h }]'),
      '2:93: applications[0].syncWindows[0].schedule: must be a cron expression of five fields, such as "0 22 * * 1-5", and is "0 0 0 * * *"',
    ],
    [
      "a schedule with a 60th minute",
      shop('syncWindows: [{ kind: deny, schedule: "60 0 * * *", duration: 1h }]'),
      "2:93: applications[0].syncWindows[0].schedule: is not a schedule of cron: Invalid value for minute: 60",
    ],
    [
      "a schedule for the 30th of February",
      shop('syncWindows: [{ kind: deny, schedule: "0 0 30 2 *", duration: 1h }]'),
      '2:93: applications[0].syncWindows[0].schedule: never comes: "0 0 30 2 *"',
    ],
    [
      "a time zone that there is not",
      shop('syncWindows: [{ kind: deny, schedule: "0 0 * * *", duration: 1h, timeZone: Europe/Berln }]'),
      '2:130: applications[0].syncWindows[0].timeZone: there is no time zone "Europe/Berln": did you mean "Europe/Berlin"?',
    ],
    [
      "Flux's word for how long a window is",
      shop('syncWindows: [{ kind: deny, schedule: "0 0 * * *", duration: 1h, window: 1h }]'),
      '2:120: applications[0].syncWindows[0].window: is not a key of this mapping: write "duration"',
    ],
    [
      "a window of all applications with a mistake",
      `${clusters}applications: []\nsyncWindows: [{ kind: deny, schedule: "0 0 * * *", duration: 1h, timeZone: Mars }]\n`,
      '3:76: syncWindows[0].timeZone: there is no time zone "Mars": write one such as Europe/Berlin',
    ],
    [
      "Flux's suspend",
      shop("suspend: true"),
      "2:64: applications[0].suspend: must be a mapping (keys owner, reason, until), and is the boolean true",
    ],
    [
      "a suspension without a reason",
      shop("suspend: { owner: alice }"),
      '2:64: applications[0].suspend: needs the key "reason" (why, for people)',
    ],
    [
      "a suspension until some day",
      shop("suspend: { owner: alice, reason: why, until: friday }"),
      '2:100: applications[0].suspend.until: must be a time of RFC 3339 such as 2026-01-31T18:00:00Z, and is "friday"',
    ],
    [
      "a suspension until the 31st of February",
      shop("suspend: { owner: alice, reason: why, until: 2026-02-31T00:00:00Z }"),
      '2:100: applications[0].suspend.until: is no time that comes: "2026-02-31T00:00:00Z"',
    ],
    [
      "a rule of health that says nothing of the good case",
      `${clusters}applications: []\nhealthCheckExprs: [{ apiVersion: a/v1, kind: B, failed: broken }]\n`,
      '3:20: healthCheckExprs[0]: needs the key "current" (true when the object is as it should be: Healthy)',
    ],
    [
      "an application that depends on itself",
      chart({ shop: ["shop"] }),
      "3:53: applications[0].dependsOn[0]: names the application itself: take it out",
    ],
    [
      "a dependency that is a typing error",
      chart({ shop: ["databse"], database: [] }),
      '3:53: applications[0].dependsOn[0]: there is no application "databse": did you mean "database"?',
    ],
    [
      "a dependency unlike any",
      chart({ shop: ["kafka"] }),
      '3:53: applications[0].dependsOn[0]: there is no application "kafka": name an entry of "applications"',
    ],
    [
      "two that wait for each other",
      chart({ a: ["b"], b: ["a"] }),
      "3:50: applications[0].dependsOn[0]: goes round in a circle: a -> b -> a; take one of these out",
    ],
    [
      "a circle that others lead to",
      chart({ lead: ["c"], a: ["free", "b"], b: ["c"], c: ["a"], free: [] }),
      "4:56: applications[1].dependsOn[1]: goes round in a circle: a -> b -> c -> a; take one of these out",
    ],
  ];
  for (const [what, text, expected] of refused) {
    test(`${what}: the mistake, with its place and what to do`, () => {
      assert.deepEqual(problemsOf(text), [expected]);
    });
  }

  test("each circle is told, and what only leads to one is not", () => {
    const text = chart({ a: ["b"], b: ["a"], x: ["y", "a"], y: ["x"], z: ["y"] });
    assert.deepEqual(
      problemsOf(text).map((line) => line.split(": ").slice(2).join(": ")),
      [
        "goes round in a circle: a -> b -> a; take one of these out",
        "goes round in a circle: x -> y -> x; take one of these out",
      ],
    );
  });

  test("schedules are read as cron has them: names, lists, steps, and the usual short words", () => {
    for (const schedule of ["*/15 8-18 * * MON-FRI", "0 2 1,15 * *", "30 4 * JAN,JUL 0", "@daily", "0 0 29 2 *"]) {
      assert.deepEqual(problemsOf(shop(`syncWindows: [{ kind: allow, schedule: "${schedule}", duration: 1h }]`)), [], schedule);
    }
  });

  test("dependencies are refused just when they go round", () => {
    const count = 6;
    const edges = fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 12 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const leads = Array.from({ length: count }, (_, from) =>
          pairs.flatMap(([a, b]) => (a === from && b !== from ? [`app${b}`] : [])),
        );
        const text = chart(Object.fromEntries(leads.map((names, index) => [`app${index}`, names])));
        assert.equal(problemsOf(text).length > 0, goesRound(leads.map((names) => names.map((name) => Number(name.slice(3))))));
      }),
      { numRuns: 300 },
    );
  });
});

/** Says by walking every way, as long as there are applications. */
function goesRound(leads: readonly (readonly number[])[]): boolean {
  const reach = (from: number, steps: number): boolean =>
    steps > leads.length || (leads[from] ?? []).some((to) => reach(to, steps + 1));
  return leads.some((_, index) => reach(index, 0));
}
