import { allChanged } from "./all-changed.ts";
import { auditHeal } from "./audit-heal.ts";
import type { BenchCase } from "./case.ts";
import { coldStart } from "./cold-start.ts";
import { firstSync } from "./first-sync.ts";
import { heal } from "./heal.ts";
import { manifest } from "./manifest.ts";
import { manyChanged } from "./many-changed.ts";
import { monorepo } from "./monorepo.ts";
import { oneChanged } from "./one-changed.ts";
import { quietSweep } from "./quiet-sweep.ts";
import { rebuild } from "./rebuild.ts";
import { renderCharts, renderOverlays } from "./render.ts";
import { oneBesideStuck } from "./stuck.ts";
import { sweepGrowth } from "./sweep-growth.ts";
import { thousand } from "./thousand.ts";
import { thousandObjects } from "./thousand-objects.ts";
import { unchanged } from "./unchanged.ts";
import { webhook } from "./webhook.ts";

/**
 * In the order in which they run. Cold starts come first, while nothing else is done; then the webhook, while there is next to
 * nothing to plan behind it; what leaves more behind in the cluster than the fleet's own applications comes after the sweeps.
 */
export const benchCases: readonly BenchCase[] = [
  coldStart,
  webhook,
  manifest,
  firstSync,
  oneChanged,
  allChanged,
  unchanged,
  quietSweep,
  heal,
  sweepGrowth,
  auditHeal,
  oneBesideStuck,
  thousandObjects,
  manyChanged,
  rebuild,
  thousand,
  renderCharts,
  renderOverlays,
  monorepo,
];
