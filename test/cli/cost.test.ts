import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { cost } from "../../cli/commands/cost.ts";
import { figures } from "../../cli/cost/measured.ts";
import { type CostLine, costOf, type Load, totalOf } from "../../cli/cost/model.ts";
import { prices } from "../../cli/cost/prices.ts";
import { pageOf, withPart } from "../../cli/cost/text.ts";
import { sourcesOf, textOf } from "../docs/pages.ts";

const load: Load = { applications: 100, clusters: 1, objects: 4, pushesPerDay: 50, interval: 600, alarms: true, github: true };
const usd = (change: Partial<Load> = {}): number => totalOf(costOf({ ...load, ...change }, prices));
const lineOf = (lines: readonly CostLine[], service: string, what: string): CostLine | undefined =>
  lines.find((line) => line.service === service && line.what.startsWith(what));

suite("driftless cost", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "driftless-cost-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const run = (values: Readonly<Record<string, unknown>> = {}, region?: string) =>
    cost.run({
      output: "table",
      positionals: [],
      values,
      environment: {},
      say: () => undefined,
      ...(region === undefined ? {} : { region }),
    });

  test("docs/cost.md holds what the command writes", () => {
    const page = textOf("docs/cost.md");
    assert.equal(withPart(page, pageOf(load, prices)), page, "run: npx driftless cost --write docs/cost.md");
  });

  test("measured figures are those of docs/performance.md, as far as one run is like another", () => {
    const page = textOf("docs/performance.md");
    for (const [name, { value, source }] of Object.entries(figures)) {
      if (source.kind !== "measured") continue;
      const section = page.split(/^## /m).find((part) => part.startsWith(source.heading)) ?? "";
      const row = section.split("\n").find((line) => line.startsWith(`| ${source.row} |`));
      assert.notEqual(row, undefined, `${name}: there is no row ${source.row} under ${source.heading}`);
      const now = Number.parseFloat(row?.split("|")[2] ?? "");
      assert.ok(
        now <= value * 2.5 && now >= value / 2.5,
        `${name} is ${value}, and ${now} was measured last: see cli/cost/measured.ts`,
      );
    }
  });

  test("what is counted from the template is what stands there", () => {
    const alarms = ["infra/alarms.yml", "infra/function-alarms.yml"].map(
      (file) => textOf(file).match(/Type: AWS::CloudWatch::Alarm/g)?.length ?? 0,
    );
    assert.equal(
      alarms.reduce((sum, count) => sum + count),
      figures.alarms.value,
    );
    assert.equal(textOf("infra/secrets.yml").match(/Type: AWS::SecretsManager::Secret/g)?.length, figures.secrets.value);
    const template = textOf("serverless.yml");
    assert.match(template, new RegExp(`memorySize: ${figures.memoryGb.value * 1024}\\n`));
    assert.match(template, new RegExp(`logRetentionInDays: ${figures.logDays.value}\\n`));
    assert.match(template, new RegExp(`retentionPeriodInDays: ${figures.durableDays.value}\\n`));
  });

  test("every figure is used, and every price", () => {
    const source = sourcesOf("cli/cost")
      .filter((file) => !/measured|prices/.test(file))
      .map(textOf)
      .join("\n");
    const unused = [
      ...Object.keys(figures).filter((name) => !source.includes(`n.${name}`)),
      ...Object.keys(prices).filter((name) => !source.includes(`prices.${name}`)),
    ];
    assert.deepEqual(unused, []);
  });

  test("more of anything never costs less, and a NAT gateway is never needed", () => {
    for (const more of [{ applications: 1000 }, { clusters: 5 }, { objects: 100 }, { pushesPerDay: 500 }, { interval: 300 }])
      assert.ok(usd(more) > usd(), JSON.stringify(more));
    assert.ok(usd({ alarms: false }) < usd() && usd({ github: false }) < usd());
    assert.equal(lineOf(costOf({ ...load, applications: 5000, clusters: 20 }, prices), "NAT gateway", "none")?.usd, 0);
  });

  test("100 applications, swept every ten minutes, cost less than one small node", () => {
    const lines = costOf(load, prices);
    assert.ok(usd() < 20, String(usd()));
    // 4,380 sweeps and as many shards, 1,521 pushes with 2,281 deliveries, 6,083 calls of the API.
    assert.ok(Math.abs((lineOf(lines, "Lambda", "requests")?.amount ?? 0) - 20_166) < 1);
    assert.equal(lineOf(lines, "Scheduler", "starts")?.amount, 4380);
  });

  test("prices of a file replace those that are known; a wrong name says the right ones", async () => {
    const file = join(folder, "prices.json");
    await writeFile(file, JSON.stringify({ alarmMonth: 1, dashboardMonth: 0 }));
    const { json, text } = await run({ prices: file }, "eu-central-1");
    const { total } = JSON.parse(json) as { readonly total: number };
    assert.ok(Math.abs(total - (usd() - 3 + 26 * 0.9)) < 0.01);
    assert.match(text, /by prices of .*prices\.json, no free tier/);
    await writeFile(file, JSON.stringify({ alarm: 1 }));
    await assert.rejects(run({ prices: file }), /there is no price alarm; known are lambdaGbSecond/);
    await writeFile(file, JSON.stringify({ alarmMonth: "1" }));
    await assert.rejects(run({ prices: file }), /alarmMonth must be a number/);
    await assert.rejects(run({ prices: join(folder, "none.json") }), /none\.json could not be read/);
  });

  test("what makes no sense is said by the option's name", async () => {
    await assert.rejects(run({ applications: "many" }), /--applications is a whole number from 1, not many/);
    await assert.rejects(run({ interval: "10s" }), /--interval is a duration of a minute or more/);
    await assert.rejects(
      run({}, "eu-central-1"),
      /prices are known for us-east-1: give those of eu-central-1 with --prices FILE/,
    );
  });

  test("only the part between the marks of a page is written", async () => {
    const file = join(folder, "page.md");
    await writeFile(file, "# Mine\n<!-- Written by `driftless cost --write`: begin -->\nold\n<!-- end -->\nafter\n");
    await run({ write: file });
    const page = await readFile(file, "utf8");
    assert.match(page, /^# Mine\n<!--[\s\S]*\| Lambda \| requests \|[\s\S]*-->\nafter\n$/);
    assert.ok(!page.includes("old"));
    await writeFile(file, "# Mine\n");
    await assert.rejects(run({ write: file }), /it has no marks for the table/);
  });
});
