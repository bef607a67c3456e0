import { allChanged } from "./all-changed.ts";
import type { BenchCase } from "./case.ts";
import { firstSync } from "./first-sync.ts";
import { heal } from "./heal.ts";
import { manifest } from "./manifest.ts";
import { monorepo } from "./monorepo.ts";
import { oneChanged } from "./one-changed.ts";
import { quietSweep } from "./quiet-sweep.ts";
import { renderCharts, renderOverlays } from "./render.ts";
import { webhook } from "./webhook.ts";

/** In the order in which they run. The webhook comes first, while there is next to nothing to plan behind it. */
export const benchCases: readonly BenchCase[] = [
  webhook,
  manifest,
  firstSync,
  oneChanged,
  allChanged,
  quietSweep,
  heal,
  renderCharts,
  renderOverlays,
  monorepo,
];
