import type { DesiredObject } from "../../apply/prepare.ts";
import { immutableError } from "../../apply/recreate.ts";
import { excerpt } from "../../diff/excerpt.ts";
import { maskError, maskSecrets } from "../../diff/mask.ts";
import { type DriftlessError, messageOf } from "../../errors.ts";
import { isJsonObject, type JsonValue } from "../../model/json.ts";
import type { FieldChange, PlannedChange } from "../../model/plan.ts";
import type { Manifest } from "../../model/resource.ts";
import { type Coming, isComing } from "./preview-coming.ts";

export interface Refused {
  readonly object: DesiredObject;
  readonly live?: Manifest;
  readonly coming: Coming;
  /** Whether its annotations let it be deleted and made again. */
  readonly recreate: boolean;
}

/** What becomes of an object whose dry run the API server refuses. No text of the server is told without its mask. */
export function refusedChange(error: DriftlessError, { object, live, coming, recreate }: Refused): PlannedChange {
  const { ref, manifest } = object;
  const message = maskError(ref, messageOf(error));
  if (isComing(ref, coming)) {
    const reason = `no dry run yet: its definition changes with the same sync (now: ${message})`;
    return { action: live === undefined ? "create" : "change", ref, fields: [], reason };
  }
  const { immutable, immutableWords } = error.facts;
  if (live === undefined || typeof immutable !== "string") return { action: "fail", ref, fields: [], reason: message };
  const fields = immutable.split(", ").map((path) => changeAt(path, { object, live }));
  if (recreate) return { action: "recreate", ref, fields, reason: `${immutable}: ${immutableWords}` };
  const reason = maskError(ref, messageOf(immutableError(manifest, { ref, cause: error })));
  return { action: "fail", ref, fields, reason };
}

/** A field that the server names, with what it is and what it should be. */
function changeAt(path: string, { object, live }: { readonly object: DesiredObject; readonly live: Manifest }): FieldChange {
  const [from, to] = [valueAt(live, path), valueAt(object.manifest, path)];
  const row = { path, ...(from === undefined ? {} : { desired: from }), ...(to === undefined ? {} : { live: to }) };
  const [masked = row] = maskSecrets(object.ref, [row]);
  return excerpt({
    path,
    ...(masked.desired === undefined ? {} : { from: masked.desired }),
    ...(masked.live === undefined ? {} : { to: masked.live }),
    manager: "",
  });
}

/** Undefined for a path that goes through a list. */
function valueAt(object: Manifest, path: string): JsonValue | undefined {
  return path.split(".").reduce<JsonValue | undefined>((value, name) => (isJsonObject(value) ? value[name] : undefined), object);
}
