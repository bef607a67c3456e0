import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { pushDelivery, signedHeaders } from "../../cli/local/push-event.ts";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney, webhookSecret } from "../support/journey.ts";

describe("deliveries", () => {
  const prefix = "deliver";
  let journey: Journey;
  const post = (body: string | Uint8Array, headers: Readonly<Record<string, string>>) =>
    fetch(`${journey.installation.url}/webhook`, { method: "POST", body: body as string, headers });

  before(async () => {
    journey = await startJourney({ webhooks: false });
    await journey.push(guestbook({ prefix, environments: ["qa"] }));
  });
  after(() => journey.close());

  const lastPush = () => {
    const push = journey.pushes.at(-1);
    assert.ok(push);
    return push;
  };

  test("one redelivered five times is one sync", async () => {
    const push = await eventually("the push is seen", async () => journey.pushes.at(-1));
    const { body, headers } = pushDelivery(push, { secret: webhookSecret });
    const answers = [];
    for (let time = 0; time < 6; time++) answers.push((await post(body, headers)).status);
    assert.equal(answers[0], 202);
    assert.ok(
      answers.slice(1).every((status) => status === 200),
      String(answers),
    );
    await journey.synced("deliver-qa", push.after);
    assert.equal((await journey.syncs("deliver-qa")).length, 1);
  });

  test("pushes that arrive out of order end at the head, with one sync", async () => {
    const before = (await journey.syncs("deliver-qa")).length;
    const older = await journey.push({ "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "2.1" }) });
    const olderPush = await eventually("the older push", async () => (lastPush().after === older ? lastPush() : undefined));
    const newer = await journey.push({ "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "2.2" }) });
    const newerPush = await eventually("the newer push", async () => (lastPush().after === newer ? lastPush() : undefined));
    for (const push of [newerPush, olderPush]) {
      const { id, body, headers } = pushDelivery(push, { secret: webhookSecret });
      assert.equal((await post(body, headers)).status, 202);
      await eventually("the delivery is planned", async () =>
        (await journey.installation.stores.deliveries.list()).items.some(
          (row) => row.id === id && ["planned", "ignored"].includes(row.state),
        ),
      );
    }
    await journey.synced("deliver-qa", newer);
    assert.equal((await journey.syncs("deliver-qa")).length, before + 1);
    assert.equal(
      await journey.field(["deployment", "deliver-qa", "guestbook"], ".spec.template.spec.containers[0].image"),
      "registry.example/guestbook:2.2",
    );
  });

  test("a forged, malformed or oversized one is refused, and nothing is queued", async () => {
    const rows = async () => (await journey.installation.stores.deliveries.list()).items.length;
    const before = await rows();
    const { body, headers } = pushDelivery(lastPush(), { secret: webhookSecret });
    const forged = await post(`${body} `, headers);
    const unsigned = await post(body, {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
    });
    const garbage = await post("{", signedHeaders({ body: "{", secret: webhookSecret, id: randomUUID() }));
    const large = "x".repeat(7 * 1024 * 1024);
    const oversized = await post(large, signedHeaders({ body: large, secret: webhookSecret, id: randomUUID() }));
    assert.deepEqual([forged.status, unsigned.status, garbage.status, oversized.status], [401, 401, 400, 413]);
    assert.equal(await rows(), before);
    const { Attributes } = await journey.installation.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: journey.installation.queueUrl, AttributeNames: ["All"] }),
    );
    assert.equal(Attributes?.["ApproximateNumberOfMessages"], "0");
    assert.equal(Attributes?.["ApproximateNumberOfMessagesNotVisible"], "0");
  });

  test("one for a repository that nobody uses is ignored, and its row says so", async () => {
    const { id, body, headers } = pushDelivery(
      { ...lastPush(), url: "https://github.example/acme/other.git" },
      { secret: webhookSecret },
    );
    await post(body, headers);
    const row = await eventually("the delivery is judged", async () =>
      (await journey.installation.stores.deliveries.list()).items.find((item) => item.id === id && item.state === "ignored"),
    );
    assert.match(row.reason, /no application uses main of https:\/\/github\.example\/acme\/other/);
  });
});
