import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as check, constantFrom, json, jsonValue, oneof, property, string } from "fast-check";
import { readEventList, readLogPayload } from "../../lib/audit/log-payload.ts";
import { anEvent, aPayload, identities } from "./events.ts";

test("the log group names the cluster, and each edit in it is told", () => {
  const { clusterName, edits, skipped } = readLogPayload(aPayload([anEvent(), anEvent({ auditID: "second" })]), identities);
  assert.deepEqual(
    [clusterName, edits.map(({ id }) => id), skipped],
    ["production", ["5f0d6a1e-7c1a-4c55-9c5e-0f2f0d3f7a11", "second"], {}],
  );
});

test("what is no edit is left out, and counted by its reason", () => {
  const { edits, skipped } = readLogPayload(
    aPayload([
      anEvent(),
      anEvent({ verb: "list" }),
      anEvent({ verb: "watch" }),
      anEvent({ user: { username: "driftless" } }),
      anEvent({ user: { username: "system:kube-scheduler" } }),
      anEvent({ responseStatus: { code: 404 } }),
      "I0301 11:58:00.000000       1 controller.go:624] quota admission added evaluator for: deployments.apps",
      { level: "info", msg: "access granted", username: "ada" },
      JSON.stringify(anEvent()).slice(0, 300),
    ]),
    identities,
  );
  assert.equal(edits.length, 1);
  assert.deepEqual(skipped, { reads: 2, own: 1, cluster: 1, refused: 1, other: 2, malformed: 1 });
});

test("a message of CloudWatch's own is no log", () => {
  const text = aPayload(["CWL CONTROL MESSAGE: Checking health of destination Lambda function."], {
    messageType: "CONTROL_MESSAGE",
  });
  assert.deepEqual(readLogPayload(text, identities), { clusterName: "", edits: [], skipped: { control: 1 } });
});

test("another log group names no cluster", () => {
  assert.equal(readLogPayload(aPayload([anEvent()], { logGroup: "/aws/lambda/shop" }), identities).clusterName, "");
});

test("the events of an API server's own list need not repeat what the list says", () => {
  const { kind: _kind, apiVersion: _version, ...bare } = anEvent();
  const list = JSON.stringify({
    kind: "EventList",
    apiVersion: "audit.k8s.io/v1",
    metadata: {},
    items: [bare, "broken", anEvent()],
  });
  const events = readEventList(list);
  assert.equal(events.length, 2);
  assert.equal(readLogPayload(aPayload(events), identities).edits.length, 2);
  for (const other of ["", "{", "[]", '{"kind":"EventList"}', '{"kind":"Event","items":[{}]}'])
    assert.deepEqual(readEventList(other), []);
});

test("no text makes the reader throw", () => {
  check(
    property(oneof(string(), json()), (text) => {
      readLogPayload(text, identities);
      readLogPayload(aPayload([text]), identities);
      readEventList(text);
    }),
  );
});

test("no event, however it is bent, makes the reader throw", () => {
  const keys = Object.keys(anEvent());
  check(
    property(constantFrom(...keys), jsonValue(), (key, value) => {
      const { edits, skipped } = readLogPayload(aPayload([{ ...anEvent(), [key]: value }]), identities);
      const counted = Object.values(skipped).reduce((sum, count) => sum + count, 0);
      assert.equal(edits.length + counted, 1);
    }),
  );
});
