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
 * included, so that `deploy/**` also stands for `deploy` itself.
 */
export function matchesPath(glob: string, path: string): boolean {
  return matchesFolders(foldersOf(glob), foldersOf(path));
}

function foldersOf(path: string): readonly string[] {
  return path.split("/").filter((folder) => folder !== "" && folder !== ".");
}

function matchesFolders(globs: readonly string[], folders: readonly string[]): boolean {
  // Which prefixes of the path the globs so far stand for.
  let reached = new Set([0]);
  for (const glob of globs) {
    const next = new Set<number>();
    for (const at of reached) {
      if (glob === "**") for (let to = at; to <= folders.length; to++) next.add(to);
      else if (at < folders.length && matchesPattern(glob, folders[at]!)) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(folders.length);
}
