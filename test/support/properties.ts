import * as fc from "fast-check";

/** Loaded before all tests: properties try the same values in every run, so that a change alone can break one; DRIFTLESS_SEED tries others. */
const seed = Number(process.env["DRIFTLESS_SEED"] ?? "1");
if (!Number.isInteger(seed)) throw new Error("DRIFTLESS_SEED is a whole number");
fc.configureGlobal({ seed });
