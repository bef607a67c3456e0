import { messageOf } from "../errors.ts";
import { refused } from "./jq-tokens.ts";

const mostRepetitions = 3;

/** Of a text so many characters are looked at. */
export const longestText = 512;

/**
 * A regular expression of JavaScript that ends soon on every text: no group is repeated, and little else. A backtracking search
 * takes as many steps as the length of the text to the power of its repetitions.
 */
export function patternOf(pattern: string, { flags, at }: { readonly flags: string | number; readonly at: number }): RegExp {
  if (flags !== "" && flags !== "i") throw refused(at, 'test knows the flag "i" alone');
  const plain = pattern.replace(/\\[\s\S]/g, "e").replace(/\[[^\]]*\]/g, "c");
  if (/\)(?:[*+]|\{)/.test(plain)) throw refused(at, "a pattern must not repeat a group");
  if ((plain.match(/[*+]|\{\d/g) ?? []).length > mostRepetitions)
    throw refused(at, `a pattern must not have more than ${mostRepetitions} repetitions`);
  try {
    return new RegExp(pattern, `u${flags}`);
  } catch (error) {
    throw refused(at, messageOf(error));
  }
}
