import { Scalar } from "yaml";
import { nearestWord } from "./suggest.ts";
import { quote } from "./wording.ts";

/** A value that stands for a placeholder. */
export type Filling = string | number | boolean;

/** What placeholders stand for in one application, by name. */
export type Fillings = ReadonlyMap<string, Filling>;

/** A text whose placeholders are filled in. */
export class FilledScalar extends Scalar {
  /** The value as text: a text that is one placeholder alone takes over the value's type. */
  readonly text: string;

  constructor(template: Scalar, value: Filling) {
    super(value);
    this.text = String(value);
    this.type = Scalar.QUOTE_DOUBLE;
    if (template.range) this.range = template.range;
  }
}

/** `{{ name }}`, `{{.name}}`, and `{{ "{{" }}` for the two braces themselves. */
const placeholder = /\{\{\s*(?:"(\{\{)"|\.?([A-Za-z_][^\s{}"]*))\s*\}\}/g;

/** True for a text that is not what it says. */
export function holdsPlaceholder(text: string): boolean {
  return text.includes("{{");
}

/** What is wrong with the placeholders of a text, whatever their names; undefined when nothing is. */
export function placeholderProblem(text: string): string | undefined {
  const rest = text.replace(placeholder, "");
  if (!holdsPlaceholder(rest)) return undefined;
  return `has two braces that are no placeholder: write {{name}}, and {{ "{{" }} for the braces themselves: ${quote(text)}`;
}

/** Filled in at one go: what looks like a placeholder in a value stays as it is. */
export function fillIn(text: string, fillings: Fillings): { readonly value: Filling } | { readonly problem: string } {
  const unknown = [...text.matchAll(placeholder)].find(([, , name]) => name !== undefined && !fillings.has(name));
  if (unknown !== undefined) return { problem: unknownPlaceholder(unknown[2] ?? "", [...fillings.keys()]) };
  const [whole] = text.matchAll(placeholder);
  if (whole?.[2] !== undefined && whole[0] === text) return { value: fillings.get(whole[2]) ?? "" };
  const value = text.replace(placeholder, (_, braces: string | undefined, name: string) => braces ?? String(fillings.get(name)));
  return { value };
}

function unknownPlaceholder(name: string, known: readonly string[]): string {
  const near = nearestWord(name, known);
  const advice = near === undefined ? `known are ${known.map((word) => `{{${word}}}`).join(", ")}` : `did you mean {{${near}}}?`;
  return `nothing gives {{${name}}}: ${advice}`;
}
