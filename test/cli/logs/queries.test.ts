import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { loggingFunctions, savedQueries } from "../../../cli/logs/queries.ts";
import { textOf } from "../../docs/pages.ts";
import { runInsights } from "../../support/insights.ts";

interface QueryDefinition {
  readonly Type: string;
  readonly Properties: {
    readonly Name: string;
    readonly QueryString: string;
    readonly LogGroupNames: readonly { readonly Ref: string }[];
  };
}

const row = (at: number, event: string, fields: Readonly<Record<string, unknown>>) => {
  const timestamp = new Date(Date.parse("2026-01-31T12:00:00Z") + at).toISOString();
  return { "@timestamp": timestamp, "@message": JSON.stringify({ event, ...fields }), event, ...fields };
};
const log = [
  row(0, "webhook.queued", { correlationId: "d1", repository: "https://host/a.git", branch: "main" }),
  row(1, "webhook.answered", { correlationId: "d2", state: "ignored", reason: "a ping: the webhook is set up" }),
  row(2, "plan.rendered", { correlationId: "d1", application: "shop", durationMs: 200, objects: 6 }),
  row(3, "plan.rendered", { correlationId: "d1", application: "blog", durationMs: 900, objects: 2 }),
  row(4, "plan.rendered", { correlationId: "d3", application: "shop", durationMs: 400, objects: 7 }),
  row(5, "sweep.drift", {
    sweep: "w1",
    application: "shop",
    ref: "apps/Deployment/shop/web",
    field: "a",
    manager: "kubectl-edit",
  }),
  row(6, "sweep.drift", {
    sweep: "w1",
    application: "shop",
    ref: "apps/Deployment/shop/web",
    field: "b",
    manager: "kubectl-edit",
  }),
  row(7, "sync.disturbed", { correlationId: "d3", application: "shop", ref: "/Service/shop/web", field: "c", manager: "hpa" }),
  row(8, "sync.begun", { correlationId: "w1", application: "shop" }),
];
const answer = (name: keyof typeof savedQueries, edit = (text: string) => text) =>
  runInsights(edit(savedQueries[name].text), log);

describe("the saved queries", () => {
  test("are deployed word for word, each over the log groups of the functions that it reads", () => {
    const { Resources } = parse(textOf("infra/queries.yml")) as { readonly Resources: Readonly<Record<string, QueryDefinition>> };
    const deployed = Object.values(Resources).map(({ Type, Properties: { Name, QueryString, LogGroupNames } }) => {
      assert.equal(Type, "AWS::Logs::QueryDefinition");
      assert.match(Name, /^\$\{self:service\}-\$\{sls:stage\}\//);
      const functions = LogGroupNames.map(({ Ref }) => Ref.replace(/LogGroup$/, "").toLowerCase());
      return [Name.replace(/^.*\//, ""), { text: QueryString, functions }] as const;
    });
    assert.deepEqual(Object.fromEntries(deployed), savedQueries);
  });

  test("know every function that there is", () => {
    const { functions } = parse(textOf("serverless.yml"), { merge: true }) as { readonly functions: object };
    assert.deepEqual(Object.keys(functions).sort(), [...loggingFunctions].sort());
  });

  test("ask for events and fields that are logged", () => {
    const operations = textOf("docs/operations.md");
    for (const { text } of Object.values(savedQueries)) {
      for (const [, event = ""] of text.matchAll(/"([a-z]+\.[a-z-]+)"/g)) assert.ok(operations.includes(`\`${event}\``), event);
    }
  });

  test("deliveries: what became of each, newest first", () => {
    assert.deepEqual(
      answer("driftless-deliveries").map(({ correlationId, event }) => `${String(correlationId)} ${String(event)}`),
      ["d2 webhook.answered", "d1 webhook.queued"],
    );
  });

  test("timeline: all that one correlation id began, the sweep's own lines included, oldest first", () => {
    const events = (id: string) =>
      answer("driftless-timeline", (text) => text.replaceAll("CORRELATION_ID", id)).map(({ event }) => event);
    assert.deepEqual(events("w1"), ["sweep.drift", "sweep.drift", "sync.begun"]);
    assert.deepEqual(events("d1"), ["webhook.queued", "plan.rendered", "plan.rendered"]);
  });

  test("slowest renders: by application", () => {
    assert.deepEqual(answer("driftless-slowest-renders"), [
      { application: "blog", slowest: 900, mean: 900, renders: 1, most: 2 },
      { application: "shop", slowest: 400, mean: 300, renders: 2, most: 7 },
    ]);
  });

  test("drift by manager: edits and the objects that they met", () => {
    assert.deepEqual(answer("driftless-drift-by-manager"), [
      { manager: "kubectl-edit", application: "shop", edits: 2, objects: 1 },
      { manager: "hpa", application: "shop", edits: 1, objects: 1 },
    ]);
  });

  test("a query with a mistake in it is refused, not answered with nothing", () => {
    for (const wrong of ['filtre a = "b"', 'filter a ~ "b"', "stats sum(a) as b by c"]) {
      assert.throws(() => runInsights(wrong, log), SyntaxError);
    }
  });
});
