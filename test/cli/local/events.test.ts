import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type LocalEvents, startEvents } from "../../../cli/local/events.ts";
import { narrateEvent } from "../../../cli/local/narrate.ts";

const good = { Source: "driftless", DetailType: "DriftDetected", Detail: '{"application":"shop"}' };
const signature = "AWS4-HMAC-SHA256 Credential=local/20250301/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0";

describe("the stand-in for EventBridge", () => {
  let events: LocalEvents;
  before(async () => {
    events = await startEvents({ buses: ["default", "drift"] });
  });
  after(() => events.close());

  async function put(body: unknown, headers: Readonly<Record<string, string>> = {}) {
    const answer = await fetch(events.endpoint, {
      method: "POST",
      headers: { "x-amz-target": "AWSEvents.PutEvents", authorization: signature, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> };
  }

  test("keeps what it takes, and gives each event an id", async () => {
    const { status, body } = await put({ Entries: [good, { ...good, EventBusName: "drift" }] });
    assert.deepEqual([status, body["FailedEntryCount"], (body["Entries"] as unknown[]).length], [200, 0, 2]);
    assert.deepEqual(
      events.events.map(({ bus, detail }) => [bus, detail]),
      [
        ["default", { application: "shop" }],
        ["drift", { application: "shop" }],
      ],
    );
  });

  test("takes an event for a bus that is not there, and loses it, as AWS does", async () => {
    const before = events.events.length;
    const { body } = await put({ Entries: [{ ...good, EventBusName: "nobody" }] });
    assert.deepEqual([body["FailedEntryCount"], events.events.length - before], [0, 0]);
  });

  const refused: readonly (readonly [string, object, string])[] = [
    ["without a source", { Source: undefined }, "InvalidArgument"],
    ["without a detail type", { DetailType: "" }, "InvalidArgument"],
    ["whose detail type is longer than 128", { DetailType: "D".repeat(129) }, "InvalidArgument"],
    ["without a detail", { Detail: undefined }, "InvalidArgument"],
    ["whose detail is no JSON object", { Detail: "[1]" }, "MalformedDetail"],
    ["with a source of AWS", { Source: "aws.s3" }, "NotAuthorizedForSourceException"],
  ];
  for (const [what, change, code] of refused) {
    test(`refuses an event ${what}, and takes its neighbours`, async () => {
      const { body } = await put({ Entries: [good, { ...good, ...change }] });
      const codes = (body["Entries"] as { readonly ErrorCode?: string }[]).map(({ ErrorCode = "" }) => ErrorCode);
      assert.deepEqual([body["FailedEntryCount"], codes], [1, ["", code]]);
    });
  }

  const broken: readonly (readonly [string, unknown, Readonly<Record<string, string>>, string])[] = [
    ["of no events", { Entries: [] }, {}, "ValidationException"],
    ["of eleven events", { Entries: Array.from({ length: 11 }, () => good) }, {}, "ValidationException"],
    ["over 256 KB", { Entries: [{ ...good, Detail: `{"a":"${"x".repeat(262_200)}"}` }] }, {}, "ValidationException"],
    ["that is no JSON", "{", {}, "SerializationException"],
    ["that is not signed", { Entries: [good] }, { authorization: "" }, "IncompleteSignature"],
    ["for another operation", { Entries: [good] }, { "x-amz-target": "AWSEvents.PutRule" }, "UnknownOperationException"],
  ];
  for (const [what, body, headers, type] of broken) {
    test(`refuses a request ${what}`, async () => {
      const answer = await put(body, headers);
      assert.deepEqual([answer.status, answer.body["__type"]], [400, type]);
    });
  }
});

test("npm start tells an event in one line", () => {
  const ref = { kind: "Deployment", namespace: "shop", name: "web" };
  const rows = [{ ref, field: "spec.replicas", kind: "changed" }];
  assert.equal(
    narrateEvent({ detailType: "DriftHealed", detail: { application: "shop", count: 3, rows } }),
    "event DriftHealed: shop: Deployment shop/web spec.replicas, and 2 more",
  );
  const missing = [{ ref: { kind: "Namespace", namespace: "", name: "shop" }, field: "", kind: "missing" }];
  assert.equal(
    narrateEvent({ detailType: "DriftDetected", detail: { application: "shop", count: 1, rows: missing } }),
    "event DriftDetected: shop: Namespace shop missing",
  );
  assert.equal(
    narrateEvent({ detailType: "SweepLate", detail: { ageSeconds: 700 } }),
    "event SweepLate: the sweep before began 700 s ago",
  );
});
