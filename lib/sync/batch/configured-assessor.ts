import { type Assessor, assessHealth, createAssessor } from "../../health/health.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ConfigurationStore } from "../../store/store.ts";

/** How objects are judged now: by the rules of the configuration in force, before the built-in ones. */
export function createConfiguredAssessor(
  configuration: Pick<ConfigurationStore, "load">,
): (options?: CallOptions) => Promise<Assessor> {
  let known: { readonly number: number; readonly assessor: Assessor } | undefined;
  return async (options) => {
    const stored = await configuration.load(options);
    if (stored === undefined) return assessHealth;
    const { number } = stored;
    if (known?.number !== number) {
      const { healthCheckExprs } = stored.configuration;
      known = { number, assessor: healthCheckExprs.length === 0 ? assessHealth : createAssessor(healthCheckExprs) };
    }
    return known.assessor;
  };
}
