import assert from "node:assert/strict";
import { test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { aDelivery } from "./rows.ts";
import { overEachTable } from "./tables.ts";

overEachTable("deliveries", (table) => {
  test("a delivery received fifty times at once is new once", async () => {
    const { deliveries } = table.stores;
    const delivery = aDelivery({ id: "often" });
    const answers = await Promise.all(Array.from({ length: 50 }, () => deliveries.receive(delivery)));
    assert.equal(answers.filter((answer) => answer.isNew).length, 1);
    for (const answer of answers) assert.deepEqual(answer.delivery, delivery);
  });

  test("a redelivery is answered with the row as it stands, not as it was sent", async () => {
    const { deliveries } = table.stores;
    await deliveries.receive(aDelivery({ id: "again" }));
    await deliveries.update("again", { state: "planned", applications: ["shop", "till"], reason: "" });
    const answer = await deliveries.receive(aDelivery({ id: "again" }));
    assert.deepEqual(answer, {
      isNew: false,
      delivery: aDelivery({ id: "again", state: "planned", applications: ["shop", "till"] }),
    });
  });

  test("a plan that was faster than the webhook keeps its word", async () => {
    const { deliveries } = table.stores;
    await deliveries.receive(aDelivery({ id: "fast" }));
    await deliveries.update("fast", { state: "ignored", reason: "no application reads this branch" });
    await deliveries.update("fast", { state: "queued" });
    const { delivery } = await deliveries.receive(aDelivery({ id: "fast" }));
    assert.equal(delivery.state, "ignored");
    assert.equal(delivery.reason, "no application reads this branch");
  });

  test("a received delivery becomes queued", async () => {
    const { deliveries } = table.stores;
    await deliveries.receive(aDelivery({ id: "slow" }));
    await deliveries.update("slow", { state: "queued" });
    const { delivery } = await deliveries.receive(aDelivery({ id: "slow" }));
    assert.equal(delivery.state, "queued");
  });

  test("an update of an unknown delivery makes no row", async () => {
    const { deliveries } = table.stores;
    await deliveries.update("sweep-17", { state: "planned", applications: ["shop"] });
    const { items } = await deliveries.list();
    assert.equal(items.filter((delivery) => delivery.id === "sweep-17").length, 0);
  });
});

overEachTable("the list of deliveries", (table) => {
  test("deliveries are listed newest first over days, in pages, and not after seven days", async () => {
    const { deliveries } = table.stores;
    const times = [
      "2025-03-01T11:00:00.000Z",
      "2025-02-25T23:59:59.999Z",
      "2025-03-01T10:59:59.999Z",
      "2025-02-22T11:59:59.000Z",
      "2025-02-28T00:00:00.000Z",
      "2025-02-22T12:00:01.000Z",
    ];
    for (const receivedAt of times) await deliveries.receive(aDelivery({ id: `at-${receivedAt}`, receivedAt }));
    const first = await deliveries.list({ limit: 2 });
    assert.deepEqual(
      first.items.map((delivery) => delivery.receivedAt),
      ["2025-03-01T11:00:00.000Z", "2025-03-01T10:59:59.999Z"],
    );
    const second = await deliveries.list({ limit: 2, from: first.next! });
    assert.deepEqual(
      second.items.map((delivery) => delivery.receivedAt),
      ["2025-02-28T00:00:00.000Z", "2025-02-25T23:59:59.999Z"],
    );
    const third = await deliveries.list({ limit: 2, from: second.next! });
    assert.deepEqual(
      third.items.map((delivery) => delivery.receivedAt),
      ["2025-02-22T12:00:01.000Z"],
    );
    assert.equal(third.next, undefined);
  });

  test("a page that never was is refused by name", async () => {
    await assert.rejects(table.stores.deliveries.list({ from: "page 2" }), (error) => isDriftlessError(error, "not-found"));
  });
});
