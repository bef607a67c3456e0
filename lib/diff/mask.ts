import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import type { ResourceRef } from "../model/resource.ts";
import type { FieldDifference } from "./diff.ts";
import { sameValue } from "./walk.ts";

const hidden = "[secret]";
const hiddenChanged = "[secret, changed]";

/** kubectl keeps a copy of the whole object in it, secret values included. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Where secret values stand: steps from the root, and the display path at which each step arrives. */
interface SecretPlace {
  readonly names: readonly string[];
  readonly paths: readonly string[];
}

const lastAppliedPlace: SecretPlace = {
  names: ["metadata", "annotations", lastApplied],
  paths: ["", "metadata", "metadata.annotations", `metadata.annotations["${lastApplied}"]`],
};
const secretPlaces: readonly SecretPlace[] = [
  { names: ["data"], paths: ["", "data"] },
  { names: ["stringData"], paths: ["", "stringData"] },
  lastAppliedPlace,
];

/** True for the one kind whose values are secret by definition. */
function isSecret(ref: Pick<ResourceRef, "group" | "kind">): boolean {
  return ref.group === "" && ref.kind === "Secret";
}

/**
 * The rows with every secret value replaced: `data` and `stringData` of a Secret, and kubectl's last-applied annotation of any
 * kind. Desired becomes `[secret]`; live becomes `[secret]` where it is the same and `[secret, changed]` where it is not.
 */
export function maskSecrets<T extends FieldDifference>(
  ref: Pick<ResourceRef, "group" | "kind">,
  rows: readonly T[],
): readonly T[] {
  const places = isSecret(ref) ? secretPlaces : [lastAppliedPlace];
  return rows.map((row) => places.reduce(maskPlace, row));
}

function maskPlace<T extends FieldDifference>(row: T, { names, paths }: SecretPlace): T {
  const place = paths.at(-1)!;
  const level = paths.indexOf(row.path);
  const isUnder = row.path.startsWith(`${place}.`) || row.path.startsWith(`${place}[`);
  if (level < 0 && !isUnder) return row;
  const below = level < 0 ? [] : names.slice(level);
  return {
    ...row,
    ...(row.desired === undefined ? {} : { desired: maskAt(row.desired, undefined, below) }),
    ...(row.live === undefined ? {} : { live: maskAt(row.live, row.desired, below) }),
  };
}

/** Masks what stands at `names` in a value; `reference` is the other side, by which a change stays visible. */
function maskAt(value: JsonValue, reference: JsonValue | undefined, names: readonly string[]): JsonValue {
  const [name, ...rest] = names;
  if (name === undefined) return maskWhole(value, reference);
  if (!isJsonObject(value)) return value;
  const inner = value[name];
  if (inner === undefined) return value;
  return { ...value, [name]: maskAt(inner, memberOf(reference, name), rest) };
}

function maskWhole(value: JsonValue, reference: JsonValue | undefined): JsonValue {
  if (isJsonObject(value)) return maskMembers(value, reference);
  return reference === undefined || sameValue(value, reference) ? hidden : hiddenChanged;
}

function maskMembers(value: JsonObject, reference: JsonValue | undefined): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      inner === undefined ? inner : maskWhole(inner, memberOf(reference, name)),
    ]),
  );
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A quoted text, closed or cut off; an apostrophe inside a word opens none. */
const quoted = /"(?:[^"\\]|\\[\s\S])*(?:"|$)|`[^`]*(?:`|$)|(?<!\w)'(?:[^'\\]|\\[\s\S])*(?:'|$)/g;
/** After these words the API server prints the offending value as it stands, to the end of the text. */
const valueTails = [/(\bgot)\s[\s\S]*$/, /(\bValue:)[\s\S]*$/, /(\b(?:invalid|unsupported) value:)(?!\s*["'`])[\s\S]*$/i];
/** Go's JSON decoder quotes a number that does not fit. */
const decodedNumber = /(\bunmarshal number )\S+(?= into\b)/g;

/**
 * An error text of the API server without the values it quotes, for an object that holds secrets; other texts stay as they are.
 * Kind, version, the object's own name and the names of fields stay readable.
 */
export function maskError(ref: ResourceRef, message: string): string {
  if (!isSecret(ref)) return message;
  const known = new Set([ref.name, ref.namespace, ref.version, ref.kind, "secrets"]);
  const unquoted = message.replace(quoted, (text, offset: number) => {
    const isFieldName = /\bfield $/.test(message.slice(0, offset));
    return isFieldName || known.has(text.slice(1, -1)) ? text : '"[secret]"';
  });
  const cut = valueTails.reduce((text, tail) => text.replace(tail, "$1 [secret]"), unquoted);
  return cut.replace(decodedNumber, "$1[secret]");
}
