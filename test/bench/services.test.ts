import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceOf } from "../../bench/services.ts";

test("a request is counted for the service that it is for", () => {
  const target = (name: string) => serviceOf({ url: "/", headers: { "x-amz-target": name } });
  const url = (path: string) => serviceOf({ url: path, headers: {} });
  assert.deepEqual(
    [
      target("DynamoDB_20120810.PutItem"),
      target("AmazonSQS.SendMessage"),
      url("/fleet.git/info/refs?service=git-upload-pack"),
      url("/fleet.git/git-upload-pack"),
      url("/2015-03-31/functions/sync%3Alive/invocations"),
      url("/2025-12-01/durable-executions/arn/checkpoint"),
    ],
    ["table", "queue", "git", "git", "lambda", "lambda"],
  );
});

test("polls of the queue, webhooks and secrets are not counted", () => {
  assert.equal(serviceOf({ url: "/", headers: { "x-amz-target": "AmazonSQS.ReceiveMessage" } }), undefined);
  assert.equal(serviceOf({ url: "/", headers: { "x-amz-target": "secretsmanager.GetSecretValue" } }), undefined);
  assert.equal(serviceOf({ url: "/webhook", headers: {} }), undefined);
});
