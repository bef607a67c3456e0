import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { Application, SyncWindow } from "../../lib/model/application.ts";
import { gateOf, inForce, restartGateOf } from "../../lib/plan/gate.ts";
import { closedTime } from "../../lib/plan/sync-windows.ts";
import { anApplication, aSyncPolicy } from "../contracts/rows.ts";

const noon = new Date("2025-03-01T12:00:00.000Z");
const alice = { owner: "alice", reason: "the database moves", until: "2025-03-01T18:00:00.000Z" };
const hours = 3600;

function aWindow(change: Partial<SyncWindow> = {}): SyncWindow {
  return { kind: "deny", schedule: "0 8 * * *", duration: 8 * hours, timeZone: "UTC", ...change };
}

const windows = (...syncWindows: readonly SyncWindow[]): Application => anApplication({ syncWindows });

/** Whether syncs may start by these windows, and if not, when they may. */
function opens(at: string, ...syncWindows: readonly SyncWindow[]): string {
  const closed = closedTime(syncWindows, new Date(at));
  return closed === undefined ? "open" : (closed.opens?.toISOString() ?? "never");
}

describe("the gate of a new desired state", () => {
  const mode = (name: "auto" | "approve" | "manual"): Application => anApplication({ sync: aSyncPolicy({ mode: name }) });
  const gates: readonly (readonly [string, Parameters<typeof gateOf>[0], ReturnType<typeof gateOf>])[] = [
    ["is open by default", { definition: anApplication(), now: noon }, { open: true }],
    [
      "is closed by mode approve",
      { definition: mode("approve"), now: noon },
      { open: false, kind: "approve", reason: "waits for approval: driftless plan shop, then driftless approve shop HASH" },
    ],
    [
      "is closed by mode manual",
      { definition: mode("manual"), now: noon },
      { open: false, kind: "manual", reason: "waits for somebody to sync it: driftless sync shop" },
    ],
    [
      "is closed by a suspension on the state",
      { definition: anApplication(), suspended: alice, now: noon },
      { open: false, kind: "suspended", reason: "suspended by alice until 2025-03-01T18:00:00.000Z: the database moves" },
    ],
    [
      "is closed by a suspension in the configuration, before all else",
      { definition: { ...mode("manual"), syncWindows: [aWindow()], suspend: { ...alice, until: "" } }, now: noon },
      { open: false, kind: "suspended", reason: "suspended by alice: the database moves" },
    ],
    [
      "is open again when a suspension is over",
      { definition: anApplication({ suspend: alice }), suspended: alice, now: new Date(alice.until) },
      { open: true },
    ],
    [
      "is closed by a window that denies, and says which and until when",
      { definition: windows(aWindow({ timeZone: "America/New_York" })), now: new Date("2025-03-03T14:00:00Z") },
      {
        open: false,
        kind: "window",
        reason: 'closed by its sync window deny "0 8 * * *" for 8h (America/New_York); it opens at 2025-03-03T16:00-05:00',
      },
    ],
    [
      "is closed outside the windows that allow, and says when the next opens",
      { definition: windows(aWindow({ kind: "allow", schedule: "30 22 * * 1-5", duration: 5400, timeZone: "UTC" })), now: noon },
      {
        open: false,
        kind: "window",
        reason: 'outside its sync windows; it opens at 2025-03-03T22:30Z by allow "30 22 * * 1-5" for 1h30m (UTC)',
      },
    ],
    [
      "names the window before the mode, which is asked for once the window is open",
      { definition: { ...mode("approve"), syncWindows: [aWindow()] }, now: noon },
      {
        open: false,
        kind: "window",
        reason: 'closed by its sync window deny "0 8 * * *" for 8h (UTC); it opens at 2025-03-01T16:00Z',
      },
    ],
  ];
  for (const [title, request, expected] of gates) {
    it(title, () => assert.deepEqual(gateOf(request), expected));
  }
});

describe("the gate of a healing, a retry or a lost run", () => {
  it("lets through what was let through before, whatever the mode", () => {
    for (const mode of ["auto", "approve", "manual"] as const)
      assert.deepEqual(restartGateOf({ definition: anApplication({ sync: aSyncPolicy({ mode }) }), now: noon }), { open: true });
  });

  it("is closed while suspended, and by windows", () => {
    assert.equal(restartGateOf({ definition: anApplication(), suspended: alice, now: noon }).open, false);
    assert.equal(restartGateOf({ definition: windows(aWindow()), now: noon }).open, false);
  });
});

describe("a suspension", () => {
  it("is in force until its end, which may be told in any offset", () => {
    const until = "2025-03-01T13:00:00+01:00";
    assert.equal(inForce({ ...alice, until }, new Date("2025-03-01T11:59:59.999Z"))?.owner, "alice");
    assert.equal(inForce({ ...alice, until }, noon), undefined);
    assert.equal(inForce({ ...alice, until: "" }, new Date("2999-01-01T00:00:00Z"))?.owner, "alice");
  });
});

describe("sync windows", () => {
  const allow = aWindow({ kind: "allow", schedule: "0 22 * * *", duration: 4 * hours });
  const weekend = aWindow({ schedule: "0 0 * * 6", duration: 48 * hours });
  const times: readonly (readonly [string, string, string, readonly SyncWindow[]])[] = [
    ["without any, syncs may start", "2025-03-05T12:00:00Z", "open", []],
    ["the first moment of a window is in it", "2025-03-05T08:00:00Z", "2025-03-05T16:00:00.000Z", [aWindow()]],
    ["the moment before is not", "2025-03-05T07:59:59.999Z", "open", [aWindow()]],
    ["the last moment of a window is in it", "2025-03-05T15:59:59.999Z", "2025-03-05T16:00:00.000Z", [aWindow()]],
    ["its end is not", "2025-03-05T16:00:00Z", "open", [aWindow()]],
    ["with one that allows, syncs start only in it", "2025-03-05T21:59:59Z", "2025-03-05T22:00:00.000Z", [allow]],
    ["it goes on after midnight", "2025-03-06T01:59:59Z", "open", [allow]],
    ["and ends there", "2025-03-06T02:00:00Z", "2025-03-06T22:00:00.000Z", [allow]],
    ["a deny closes what an allow opens", "2025-03-08T22:30:00Z", "2025-03-10T00:00:00.000Z", [allow, weekend]],
    ["of two that allow one is enough", "2025-03-05T12:30:00Z", "open", [allow, aWindow({ kind: "allow" })]],
    [
      "denies that follow each other are one",
      "2025-03-05T09:00:00Z",
      "2025-03-05T20:00:00.000Z",
      [aWindow(), aWindow({ schedule: "0 15 * * *", duration: 5 * hours })],
    ],
    ["denies without a gap never open", "2025-03-05T09:00:00Z", "never", [aWindow({ schedule: "* * * * *", duration: 60 })]],
    [
      "the last day of a month is where the month ends",
      "2024-02-29T00:30:00Z",
      "2024-02-29T01:00:00.000Z",
      [aWindow({ schedule: "0 0 29-31 * *", duration: hours })],
    ],
    [
      "a day that a month does not have is passed over",
      "2025-03-30T12:00:00Z",
      "2025-03-31T00:00:00.000Z",
      [aWindow({ kind: "allow", schedule: "0 0 31 * *", duration: hours })],
    ],
    [
      "hours are those of the time zone, in winter",
      "2025-01-15T20:59:59Z",
      "2025-01-15T21:00:00.000Z",
      [aWindow({ ...allow, timeZone: "Europe/Berlin" })],
    ],
    ["and in summer", "2025-07-15T19:59:59Z", "2025-07-15T20:00:00.000Z", [aWindow({ ...allow, timeZone: "Europe/Berlin" })]],
    [
      "an hour that clocks leave out in spring is the first one after it",
      "2025-03-30T00:59:59Z",
      "2025-03-30T01:00:00.000Z",
      [aWindow({ kind: "allow", schedule: "30 2 * * *", duration: hours, timeZone: "Europe/Berlin" })],
    ],
    [
      "an hour that comes twice in autumn opens once",
      "2025-10-26T01:30:00Z",
      "2025-10-27T01:30:00.000Z",
      [aWindow({ kind: "allow", schedule: "30 2 * * *", duration: hours, timeZone: "Europe/Berlin" })],
    ],
    [
      "a window over the change of clocks lasts as many hours as it says",
      "2025-03-30T04:59:59Z",
      "2025-03-30T05:00:00.000Z",
      [aWindow({ schedule: "0 22 * * *", duration: 8 * hours, timeZone: "Europe/Berlin" })],
    ],
  ];
  for (const [title, at, expected, syncWindows] of times) {
    it(`${title} (${at})`, () => assert.equal(opens(at, ...syncWindows), expected));
  }

  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"];
  const anyWindow: fc.Arbitrary<SyncWindow> = fc.record({
    kind: fc.constantFrom("allow" as const, "deny" as const),
    schedule: fc.constantFrom("0 0 * * *", "30 2 * * *", "15 */6 * * *", "0 9 * * 1-5", "0 0 1 * *", "0 3 31 * *", "45 23 * * 0"),
    duration: fc.integer({ min: 1, max: 20 }).map((quarters) => quarters * 900),
    timeZone: fc.constantFrom(...zones),
  });
  const anyTime = fc.date({ min: new Date("2023-12-30T00:00:00Z"), max: new Date("2026-01-02T00:00:00Z"), noInvalidDate: true });

  it("say an opening at which they are open, and that they are closed until then", () => {
    fc.assert(
      fc.property(
        fc.array(anyWindow, { maxLength: 4 }),
        anyTime,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, now, part) => {
          const closed = closedTime(all, now);
          if (closed?.opens === undefined) return;
          assert.ok(closed.opens > now);
          assert.equal(closedTime(all, closed.opens), undefined);
          const between = now.getTime() + Math.floor((closed.opens.getTime() - now.getTime() - 1) * part);
          assert.notEqual(closedTime(all, new Date(between)), undefined);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("are open for just as long as they say, in every time zone and over every change of clocks", () => {
    fc.assert(
      fc.property(anyWindow, anyTime, (window, now) => {
        const allow = { ...window, kind: "allow" as const };
        const began = closedTime([allow], now)?.opens;
        if (began === undefined) return;
        const last = new Date(began.getTime() + window.duration * 1000 - 1);
        assert.equal(closedTime([allow], last), undefined);
        assert.notEqual(closedTime([{ ...window, kind: "deny" }], last), undefined);
      }),
      { numRuns: 300 },
    );
  });
});
