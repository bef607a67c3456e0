import assert from "node:assert/strict";
import { test } from "node:test";
import { metricNamespace, metricUnits } from "../../lib/telemetry/metrics.ts";
import { alarmTopic, packagedService } from "./artefacts.ts";
import { functionsOf, type Resource, resourcesOf, type Template } from "./template.ts";

type Alarm = Resource & { readonly Condition?: string };

const alarmsOf = (template: Template): ReadonlyMap<string, Alarm> => resourcesOf(template, "AWS::CloudWatch::Alarm");
const shapeOf = (alarm: Alarm | undefined) => {
  const { MetricName, Statistic, Period, EvaluationPeriods, Threshold, TreatMissingData } = alarm?.Properties ?? {};
  return [MetricName, Statistic, Number(Period), EvaluationPeriods, Number(Threshold), TreatMissingData];
};

test("there are alarms where a topic is named, and each tells it, also that it is over", async () => {
  const { template } = await packagedService();
  for (const [id, { Condition, Properties }] of alarmsOf(template)) {
    assert.equal(Condition, "HasAlarmTopic", id);
    assert.deepEqual([Properties["AlarmActions"], Properties["OKActions"]], [[alarmTopic], [alarmTopic]], id);
    assert.match(String(Properties["AlarmDescription"]), /^Driftless: .+/, id);
  }
  assert.deepEqual(template.Conditions["HasAlarmTopic"], { "Fn::Not": [{ "Fn::Equals": [alarmTopic, ""] }] });
});

test("each thing that somebody has to look at sounds one alarm", async () => {
  const alarms = alarmsOf((await packagedService()).template);
  const expected: Readonly<Record<string, readonly unknown[]>> = {
    // A sweep that never begins measures nothing.
    LateSweepAlarm: ["SweepAge", "Maximum", 900, 1, 900, "breaching"],
    FightAlarm: ["DriftFights", "Maximum", 900, 1, 0, "notBreaching"],
    FailedSyncAlarm: ["SyncFailed", "Sum", 300, 1, 0, "notBreaching"],
    FailedDeliveryAlarm: ["DeliveryFailed", "Sum", 300, 1, 0, "notBreaching"],
    UnsyncedAlarm: ["OldestUnsynced", "Maximum", 300, 3, 3600, "notBreaching"],
    // On two days in a row: in use for longer than a day.
    PreviousSecretAlarm: ["PreviousSecretUsed", "Sum", 86_400, 2, 0, "notBreaching"],
    DeadRevisionAlarm: ["ApproximateNumberOfMessagesVisible", "Maximum", 300, 1, 0, "notBreaching"],
    DeadSyncAlarm: ["ApproximateNumberOfMessagesVisible", "Maximum", 300, 1, 0, "notBreaching"],
    QueueAgeAlarm: ["ApproximateAgeOfOldestMessage", "Maximum", 300, 1, 900, "notBreaching"],
    ServerErrorAlarm: ["5xx", "Sum", 300, 1, 0, "notBreaching"],
  };
  const others = [...alarms.keys()].filter((id) => !/(Errors|Throttles)Alarm$/.test(id));
  assert.deepEqual(others.toSorted(), Object.keys(expected).toSorted());
  for (const [id, shape] of Object.entries(expected)) assert.deepEqual(shapeOf(alarms.get(id)), shape, id);
});

test("an alarm over a metric of Driftless names one that is measured, for the whole installation", async () => {
  for (const [id, { Properties }] of alarmsOf((await packagedService()).template)) {
    if (Properties["Namespace"] !== metricNamespace) continue;
    assert.ok(String(Properties["MetricName"]) in metricUnits, `${id}: ${String(Properties["MetricName"])}`);
    assert.equal(Properties["Dimensions"], undefined, id);
  }
});

interface Widget {
  readonly type: "text" | "metric";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: { readonly title?: string; readonly metrics?: readonly (readonly unknown[])[] };
}

async function widgets(): Promise<readonly Widget[]> {
  const [dashboard] = [...resourcesOf((await packagedService()).template, "AWS::CloudWatch::Dashboard").values()];
  const body = dashboard?.Properties["DashboardBody"] as { readonly "Fn::Sub": string };
  return (JSON.parse(body["Fn::Sub"]) as { readonly widgets: readonly Widget[] }).widgets;
}

test("the dashboard's widgets stand beside each other, and none on another", async () => {
  const taken = new Map<string, string>();
  for (const { x, y, width, height, properties } of await widgets()) {
    assert.ok(x >= 0 && x + width <= 24, properties.title);
    for (let row = y; row < y + height; row += 1) {
      for (let column = x; column < x + width; column += 1) {
        const place = `${column}/${row}`;
        assert.equal(taken.get(place), undefined, `${properties.title ?? "text"} at ${place}`);
        taken.set(place, properties.title ?? "text");
      }
    }
  }
});

test("the dashboard shows every metric of Driftless, and every function, queue and table that costs money", async () => {
  const { template } = await packagedService();
  const metrics = (await widgets()).flatMap(({ properties }) => properties.metrics ?? []);
  const text = JSON.stringify(metrics);
  const own = metrics.filter(([namespace]) => namespace === metricNamespace).map(([, name]) => String(name));
  const searched = [...text.matchAll(/MetricName=\\"(\w+)/g)].map(([, name = ""]) => name);
  assert.ok(searched.length >= 3);
  assert.deepEqual([...new Set([...own, ...searched])].toSorted(), Object.keys(metricUnits).toSorted());
  const referred = new Set([...text.matchAll(/\$\{(\w+)(?:\.\w+)?\}/g)].map(([, id = ""]) => id));
  assert.deepEqual(
    [...referred].filter((id) => template.Resources[id] === undefined),
    [],
  );
  const types = ["AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup"];
  const costly = types.flatMap((type) => [...resourcesOf(template, type).keys()]).filter((id) => !id.startsWith("HttpApi"));
  assert.deepEqual(
    costly.filter((id) => !referred.has(id)),
    [],
  );
  assert.equal(functionsOf(template).size, 8);
});
