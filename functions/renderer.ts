import type { Environment } from "../lib/config/environment.ts";
import { createHelperRenderer } from "../lib/render/helper-renderer.ts";
import type { Renderer } from "../lib/render/renderer.ts";
import type { Charts } from "../lib/source/charts/charts.ts";
import type { Sources } from "../lib/source/source.ts";
import type { Log } from "../lib/telemetry/log.ts";
import { openCharts } from "./charts.ts";
import { openDecryption } from "./decryption.ts";

/** The render helper, with all that a render may reach: charts, pinned bases of other repositories, keys of SOPS. */
export function openRenderer(env: Environment, { sources, log }: { readonly sources: Sources; readonly log: Log }): Renderer {
  const renderer = createHelperRenderer({
    helper: env.renderHelper,
    decryption: openDecryption(env),
    openRemote: (repository, commit, options) => sources.source(repository).open(commit, options),
    charts: { fetch: (chart, options) => charts.fetch(chart, options) },
    log,
  });
  const charts: Charts = openCharts(env, { decode: renderer.decode, log });
  return renderer;
}
