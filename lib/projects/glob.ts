/** True when a text is what a pattern says, in which `*` stands for any text, slashes included; linear in both. */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return pattern === text;
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/**
 * True when a path of a repository is what a glob says: `*` is any text without a slash, `**` any number of folders, none
 * included, so that `deploy/**` also stands for `deploy` itself. What climbs by `..` is nothing that a glob says.
 */
export function matchesPath(glob: string, path: string): boolean {
  const folders = foldersOf(path);
  return !folders.includes("..") && matchesFolders(foldersOf(glob), folders);
}

function foldersOf(path: string): readonly string[] {
  return path.split("/").filter((folder) => folder !== "" && folder !== ".");
}

function matchesFolders(globs: readonly string[], folders: readonly string[]): boolean {
  // Which beginnings of the path the globs so far stand for, by their length; in order.
  let reached = [0];
  for (const glob of globs) {
    const least = reached[0] ?? Number.POSITIVE_INFINITY;
    if (glob === "**") reached = Array.from({ length: Math.max(0, folders.length + 1 - least) }, (_, index) => least + index);
    else reached = reached.filter((at) => at < folders.length && matchesPattern(glob, folders[at]!)).map((at) => at + 1);
  }
  return reached.at(-1) === folders.length;
}
