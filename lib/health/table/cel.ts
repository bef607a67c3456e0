/** Texts of CEL expressions that the table needs often; none of them minds a field that is not there. */

const conditions = "status.?conditions.orValue([])";

/** A condition of this type has this status. */
export function condition(type: string, status: "True" | "False" | "Unknown" = "True"): string {
  return `${conditions}.exists(c, c.type == "${type}" && c.status == "${status}")`;
}

/** A condition of this type has this status for one of these reasons. */
export function because(type: string, status: "True" | "False" | "Unknown", ...reasons: readonly string[]): string {
  return `${conditions}.exists(c, c.type == "${type}" && c.status == "${status}" && c.?reason.orValue("") in ${list(reasons)})`;
}

/** The text at a path such as `status.phase` is one of these words. */
export function word(path: string, ...words: readonly string[]): string {
  return `${at(path)}.orValue("") in ${list(words)}`;
}

/** The field at a path is there. */
export function there(path: string): string {
  return `${at(path)}.hasValue()`;
}

/** The optional value at a path; a step in brackets is a key with dots: `metadata.annotations[example.com/paused]`. */
function at(path: string): string {
  const [fields = "", key] = path.split(/[[\]]/);
  const [root = "", ...steps] = fields.split(".");
  return root + steps.map((step) => `.?${step}`).join("") + (key === undefined ? "" : `[?"${key}"]`);
}

/** An annotation has this value. */
export function annotated(name: string, value = "true"): string {
  return `${at(`metadata.annotations[${name}]`)}.orValue("") == "${value}"`;
}

/** At least one of them is true. */
export function any(...expressions: readonly string[]): string {
  return expressions.map((expression) => `(${expression})`).join(" || ");
}

/** All of them are true. */
export function every(...expressions: readonly string[]): string {
  return expressions.map((expression) => `(${expression})`).join(" && ");
}

/** The first is true and the second is not: what is at work may have failed, and then has. */
export function unless(expression: string, otherwise: string): string {
  return `(${expression}) && !(${otherwise})`;
}

/** An annotation is there, whatever its value. */
export function annotatedAtAll(name: string): string {
  return at(`metadata.annotations[${name}]`) + ".hasValue()";
}

/** The sum of a number over the first eight items of a list; CEL has none. */
export function sumOf(list: string, field: string): string {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((index) => `${list}[?${index}].?${field}.orValue(0)`).join(" + ");
}

export function not(expression: string): string {
  return `!(${expression})`;
}

function list(words: readonly string[]): string {
  return `[${words.map((each) => JSON.stringify(each)).join(", ")}]`;
}
