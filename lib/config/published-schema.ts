/** What editors know of a placeholder: there is one. */
const placeholder = { type: "string", pattern: "\\{\\{.+\\}\\}" } as const;

/** A schema as editors read it: where placeholders may stand, texts, numbers and booleans may be one. */
export function published(schema: object): object {
  return walk(schema, false) as object;
}

function walk(value: unknown, inTemplate: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, inTemplate));
  if (typeof value !== "object" || value === null) return value;
  const { placeholders, ...rest } = value as { readonly [key: string]: unknown };
  const within = inTemplate || placeholders === true;
  const entries = Object.entries(rest).map(([key, inner]) => [key, walk(inner, within)]);
  const copy = Object.fromEntries(entries) as { readonly [key: string]: unknown };
  return within && isLimited(copy) ? withPlaceholder(copy) : copy;
}

/** True for the schema of a value that a placeholder would not keep. */
function isLimited({ type, enum: words, pattern, maxLength }: { readonly [key: string]: unknown }): boolean {
  if (type === "integer" || type === "boolean") return true;
  return type === "string" && (words !== undefined || pattern !== undefined || maxLength !== undefined);
}

function withPlaceholder({ description, default: usual, ...limits }: { readonly [key: string]: unknown }): object {
  return { description, ...(usual === undefined ? {} : { default: usual }), anyOf: [limits, placeholder] };
}
