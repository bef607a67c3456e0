import { DriftlessError } from "../errors.ts";

/** One step of a glob: text, any one character, a set of characters, or any number of characters. */
type Step = { readonly is: (character: string) => boolean } | "any";

const maxAlternatives = 64;

/**
 * Compiles globs as Argo CD reads them, over whole paths: `*` and `**` stand for any characters, slashes too, `?` for one,
 * `[a-z]` and `[!a-z]` for one of a set, `{a,b}` for either; a backslash takes the next character as it is. Throws `render`
 * with the option's name. Takes time in proportion to the lengths of path and glob.
 */
export function compileGlobs(globs: readonly string[], option: string): (path: string) => boolean {
  const compiled = globs.flatMap((glob) => alternatives(glob, option).map((text) => stepsOf(text, glob, option)));
  return (path) => compiled.some((steps) => matches(steps, Array.from(path)));
}

/** Without `{a,b}`: one text for each of the choices. */
function alternatives(glob: string, option: string): readonly string[] {
  const open = indexOutside(glob, "{", 0);
  if (open < 0) return [glob];
  const choices: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < glob.length; at++) {
    const character = glob[at];
    if (character === "\\") at++;
    else if (character === "{") depth++;
    else if (character === "," && depth === 1) {
      choices.push(glob.slice(start, at));
      start = at + 1;
    } else if (character === "}" && --depth === 0) {
      choices.push(glob.slice(start, at));
      const all = choices.flatMap((choice) => alternatives(glob.slice(0, open) + choice + glob.slice(at + 1), option));
      if (all.length > maxAlternatives)
        throw refuse(option, glob, `stands for more than ${maxAlternatives} globs: write several`);
      return all;
    }
  }
  throw refuse(option, glob, "has a { without }: close it, or write \\{");
}

function indexOutside(glob: string, wanted: string, from: number): number {
  for (let at = from; at < glob.length; at++) {
    if (glob[at] === "\\") at++;
    else if (glob[at] === wanted) return at;
  }
  return -1;
}

function stepsOf(text: string, glob: string, option: string): readonly Step[] {
  const steps: Step[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*") {
      if (steps.at(-1) !== "any") steps.push("any");
    } else if (character === "?") steps.push({ is: () => true });
    else if (character === "[") {
      const end = characters.indexOf("]", at + 2);
      if (end < 0) throw refuse(option, glob, "has a [ without ]: close it, or write \\[");
      steps.push({ is: setOf(characters.slice(at + 1, end)) });
      at = end;
    } else {
      const literal = character === "\\" ? (characters[++at] ?? "\\") : character;
      steps.push({ is: (one) => one === literal });
    }
  }
  return steps;
}

function setOf(members: readonly string[]): (character: string) => boolean {
  const negated = members[0] === "!" || members[0] === "^";
  const ranges: (readonly [string, string])[] = [];
  for (let at = negated ? 1 : 0; at < members.length; at++) {
    const from = members[at] ?? "";
    const to = members[at + 1] === "-" && at + 2 < members.length ? (members[at + 2] ?? from) : from;
    if (to !== from || members[at + 1] === "-") at += at + 2 < members.length ? 2 : 0;
    ranges.push([from, to]);
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== negated;
}

/** Goes back to the last `*` only: no glob takes longer than the product of both lengths. */
function matches(steps: readonly Step[], path: readonly string[]): boolean {
  let step = 0;
  let resume: { readonly step: number; at: number } | undefined;
  for (let at = 0; at < path.length; ) {
    const current = steps[step];
    if (current === "any") {
      step += 1;
      resume = { step, at };
    } else if (current?.is(path[at] ?? "") === true) {
      step += 1;
      at += 1;
    } else if (resume !== undefined) {
      resume.at += 1;
      at = resume.at;
      step = resume.step;
    } else return false;
  }
  return steps.slice(step).every((rest) => rest === "any");
}

function refuse(option: string, glob: string, message: string): DriftlessError {
  return new DriftlessError("render", `${option}: the glob ${JSON.stringify(glob)} ${message}`);
}
