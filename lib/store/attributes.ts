import { DriftlessError } from "../errors.ts";
import type { Attributes, AttributeValue } from "./table-client.ts";

/** What an attribute holds here: texts, exact integers, bytes. Everything richer is a document in one of them. */
export type Scalar = string | number | Uint8Array;
export type Item = Readonly<Record<string, Scalar>>;

export function toAttribute(name: string, value: Scalar): AttributeValue {
  if (typeof value === "string") return { S: value };
  if (value instanceof Uint8Array) return { B: base64(value) };
  if (Number.isSafeInteger(value)) return { N: value.toString() };
  throw new DriftlessError("store", `attribute ${name}: ${value} is not an exact integer`);
}

export function toAttributes(item: Item): Attributes {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toAttribute(name, value)]));
}

export function fromAttributes(attributes: Attributes): Item {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, fromAttribute(name, value)]));
}

function fromAttribute(name: string, value: AttributeValue): Scalar {
  if (value.S !== undefined) return value.S;
  if (value.B !== undefined) return Buffer.from(value.B, "base64");
  const number = Number(value.N);
  if (Number.isSafeInteger(number)) return number;
  throw new DriftlessError("store", `attribute ${name} holds what Driftless never writes`);
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** A text attribute, "" when it is not there. */
export function textOf(item: Item, name: string): string {
  const value = item[name];
  return typeof value === "string" ? value : "";
}

/** A number attribute, 0 when it is not there. */
export function numberOf(item: Item, name: string): number {
  const value = item[name];
  return typeof value === "number" ? value : 0;
}
