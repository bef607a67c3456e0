import { isMap, isScalar } from "yaml";
import { readDocument } from "./document.ts";
import { applicationFileSchema } from "./schema.ts";

/** True for a file that holds what teams may state and nothing else; a file that cannot be read is none. */
export function isApplicationFile(text: string): boolean {
  const read = readDocument(text);
  if ("findings" in read || !isMap(read.node)) return false;
  const keys = read.node.items.map(({ key }) => (isScalar(key) ? String(key.value) : ""));
  return keys.length > 0 && keys.every((key) => Object.hasOwn(applicationFileSchema.properties, key));
}
