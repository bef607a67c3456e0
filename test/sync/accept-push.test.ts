import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, test } from "node:test";
import { DriftlessError } from "../../lib/errors.ts";
import { parseEvent } from "../../lib/github/event.ts";
import type { AcceptDelivery, SignedDelivery } from "../../lib/github/listener.ts";
import type { Delivery } from "../../lib/model/delivery.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import type { RevisionQueue } from "../../lib/queue/queue.ts";
import { createAcceptPush } from "../../lib/sync/accept-push.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { aPush, head, nobody } from "../github/deliveries.ts";
import { intakeAround } from "../github/intake.ts";

const signed = (event: string, payload: JsonObject, id: string = randomUUID()): SignedDelivery => ({
  id,
  event,
  content: parseEvent({ event, payload }),
});

const lost = () => Promise.reject(new DriftlessError("store", "the table is down", { retryable: true }));

suite("accepting a push", () => {
  const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };
  const intake = intakeAround({ clock });

  const acceptWith = (deps: Partial<Parameters<typeof createAcceptPush>[0]> = {}): AcceptDelivery =>
    createAcceptPush({ deliveries: intake.deliveries, queue: intake.queue, clock, log: silentLog, ...deps });
  const down: RevisionQueue = {
    send: () => Promise.reject(new DriftlessError("queue", "the queue is down", { retryable: true })),
  };

  test("a push to a branch leaves a row and one hint with the delivery's id", async () => {
    const delivery = signed("push", aPush());
    assert.deepEqual(await acceptWith()(delivery, {}), { state: "queued", reason: "" });
    assert.deepEqual(await intake.drain(), [
      {
        repository: "https://github.com/acme/guestbook.git",
        branch: "main",
        correlationId: delivery.id,
        after: head,
        repositoryId: 186853002,
      },
    ]);
    assert.deepEqual(await intake.rowOf(delivery.id), {
      id: delivery.id,
      event: "push",
      repository: "https://github.com/acme/guestbook.git",
      branch: "main",
      after: head,
      receivedAt: "2025-03-01T12:00:00.000Z",
      state: "queued",
      applications: [],
      reason: "",
    });
  });

  test("a deleted branch is hinted at without a commit", async () => {
    await acceptWith()(signed("push", aPush({ deleted: true, after: nobody }), "deleted-1"), {});
    assert.deepEqual(await intake.drain(), [
      {
        repository: "https://github.com/acme/guestbook.git",
        branch: "main",
        correlationId: "deleted-1",
        after: "",
        repositoryId: 186853002,
      },
    ]);
  });

  test("a sender that tells no id of the repository leaves a hint without one", async () => {
    const { id: _none, ...repository } = aPush()["repository"] as JsonObject;
    await acceptWith()(signed("push", aPush({ repository }), "nameless-1"), {});
    assert.deepEqual(await intake.drain(), [
      { repository: "https://github.com/acme/guestbook.git", branch: "main", correlationId: "nameless-1", after: head },
    ]);
  });

  const ignored: readonly (readonly [string, SignedDelivery, string])[] = [
    ["a ping", signed("ping", { zen: "Keep it simple." }), "a ping: the webhook is set up"],
    ["a tag", signed("push", aPush({ ref: "refs/tags/v1" })), "refs/tags/v1 is a tag: only branches are followed"],
    ["an event that is not used", signed("issues", { action: "opened" }), "events of kind issues are not used"],
  ];
  for (const [what, delivery, reason] of ignored) {
    test(`${what} leaves a row with the reason, and no hint`, async () => {
      assert.deepEqual(await acceptWith()(delivery, {}), { state: "ignored", reason });
      const row = await intake.rowOf(delivery.id);
      assert.deepEqual([row?.state, row?.reason, row?.event], ["ignored", reason, delivery.event]);
      assert.deepEqual(await acceptWith()(delivery, {}), { state: "duplicate", reason: "the delivery is ignored already" });
      assert.deepEqual(await intake.drain(), []);
    });
  }

  test("fifty redeliveries of one id, some at once, are one hint", async () => {
    const delivery = signed("push", aPush());
    const accept = acceptWith();
    assert.equal((await accept(delivery, {})).state, "queued");
    const again = await Promise.all(Array.from({ length: 49 }, () => accept(delivery, {})));
    assert.deepEqual([...new Set(again.map(({ state }) => state))], ["duplicate"]);
    assert.equal((await intake.drain()).length, 1);
  });

  test("ten equal deliveries at the same moment are one hint", async () => {
    const delivery = signed("push", aPush());
    await Promise.all(Array.from({ length: 10 }, () => acceptWith()(delivery, {})));
    assert.equal((await intake.drain()).length, 1);
    assert.equal((await intake.rowOf(delivery.id))?.state, "queued");
  });

  test("a redelivery of a planned one does nothing", async () => {
    const delivery = signed("push", aPush());
    await acceptWith()(delivery, {});
    await intake.deliveries.update(delivery.id, { state: "planned", applications: ["guestbook-qa"] });
    await intake.drain();
    assert.deepEqual(await acceptWith()(delivery, {}), { state: "duplicate", reason: "the delivery is planned already" });
    assert.deepEqual(await intake.drain(), []);
    assert.equal((await intake.rowOf(delivery.id))?.state, "planned");
  });

  test("A, B and A again are three hints: a rollback is never taken for a repetition", async () => {
    const accept = acceptWith();
    for (const after of ["a", "b", "a"]) await accept(signed("push", aPush({ after: after.repeat(40) })), {});
    assert.deepEqual(
      (await intake.drain()).map(({ after }) => after[0]),
      ["a", "b", "a"],
    );
  });

  test("with the queue down the error may pass, the row says so, and a redelivery is queued", async () => {
    const delivery = signed("push", aPush());
    await assert.rejects(acceptWith({ queue: down })(delivery, {}), { code: "queue", retryable: true });
    const row = await intake.rowOf(delivery.id);
    assert.deepEqual([row?.state, row?.reason], ["failed", "not queued: the queue is down"]);
    assert.deepEqual(await acceptWith()(delivery, {}), { state: "queued", reason: "" });
    assert.deepEqual(
      [(await intake.drain()).length, (await intake.rowOf(delivery.id))?.state, (await intake.rowOf(delivery.id))?.reason],
      [1, "queued", ""],
    );
  });

  test("after a failed plan a redelivery is queued anew within the queue's five minutes of memory", async () => {
    const delivery = signed("push", aPush());
    await acceptWith()(delivery, {});
    assert.equal((await intake.drain()).length, 1);
    await intake.deliveries.update(delivery.id, { state: "failed", reason: "the repository could not be read" });
    assert.equal((await acceptWith()(delivery, {})).state, "queued");
    assert.equal((await intake.drain()).length, 1);
    assert.equal((await intake.rowOf(delivery.id))?.state, "queued");
  });

  test("cut off between row and hint, a redelivery is queued; cut off after the hint, it is not doubled", async () => {
    const before = signed("push", aPush());
    const cut: RevisionQueue = { send: () => new Promise(() => undefined) };
    void acceptWith({ queue: cut })(before, {});
    for (let look = 0; look < 500 && (await intake.rowOf(before.id)) === undefined; look += 1);
    assert.equal((await intake.rowOf(before.id))?.state, "received");
    assert.equal((await acceptWith()(before, {})).state, "queued");
    assert.equal((await intake.drain()).length, 1);

    const afterwards = signed("push", aPush());
    const forgetful = {
      receive: (row: Delivery) => intake.deliveries.receive(row),
      update: () => Promise.reject(new DriftlessError("store", "down", { retryable: true })),
    };
    assert.equal((await acceptWith({ deliveries: forgetful })(afterwards, {})).state, "queued");
    assert.equal((await intake.rowOf(afterwards.id))?.state, "received");
    await acceptWith()(afterwards, {});
    assert.equal((await intake.drain()).length, 1);
  });

  test("with the table down nothing is queued, and the error may pass", async () => {
    await assert.rejects(acceptWith({ deliveries: { receive: lost, update: lost } })(signed("push", aPush()), {}), {
      code: "store",
      retryable: true,
    });
    assert.deepEqual(await intake.drain(), []);
  });

  test("the deadline reaches the table and the queue", async () => {
    await assert.rejects(acceptWith()(signed("push", aPush()), { signal: AbortSignal.abort() }), DriftlessError);
    const controller = new AbortController();
    const delivery = signed("push", aPush());
    const seen: (AbortSignal | undefined)[] = [];
    const watching: RevisionQueue = {
      send: (message, options) => {
        seen.push(options.signal);
        return intake.queue.send(message, options);
      },
    };
    await acceptWith({ queue: watching })(delivery, { signal: controller.signal });
    assert.deepEqual(seen, [controller.signal]);
    await intake.drain();
  });
});
