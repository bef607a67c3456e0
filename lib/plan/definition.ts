import type { Application } from "../model/application.ts";
import { canonicalJson, type JsonObject } from "../model/json.ts";

/**
 * What of a definition a render or a sync comes from, as text: when it is another, the application is planned and synced again.
 * When a sync may start, and what the sweep does by itself, is not in it. Equal definitions have equal texts.
 */
export function definitionText(application: Application): string {
  const { drift: _, additions: _1, ignoreDifferences: _2, dependsOn: _3, rollback: _4, ...more } = application;
  const { syncWindows: _5, suspend: _6, sync, ...rest } = more;
  const { mode: _7, retry: _8, ...deciding } = sync;
  return canonicalJson({ ...rest, sync: deciding } as unknown as JsonObject);
}

/** True when two definitions say the same, whatever the order of their keys. */
export function isSameDefinition(one: Application, other: Application): boolean {
  return canonicalJson(one as unknown as JsonObject) === canonicalJson(other as unknown as JsonObject);
}

/** A definition with the policies of another one: what `definitionText` leaves out. */
export function withPolicies(definition: Application, policies: Application): Application {
  const { suspend: _over, ...rest } = definition;
  const { drift, additions, ignoreDifferences, dependsOn, rollback, syncWindows, suspend, sync } = policies;
  const { mode, retry } = sync;
  return {
    ...rest,
    sync: { ...definition.sync, mode, retry },
    drift,
    additions,
    ignoreDifferences,
    dependsOn,
    rollback,
    syncWindows,
    ...(suspend === undefined ? {} : { suspend }),
  };
}
