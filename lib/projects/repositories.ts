import { matchesPattern } from "./glob.ts";

interface Url {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

/**
 * True when a repository is what a pattern says: host and path are held against each other apart, so that `*` in a host's name
 * never stands for the end of it, and in any case. `.git` and a slash at the end count for nothing, and neither does a user's name.
 * A URL that leads elsewhere than it says, by `..` or in other ways, is none but `*`'s.
 */
export function matchesRepository(pattern: string, repository: string): boolean {
  if (pattern === "*") return true;
  if (leadsElsewhere(repository)) return false;
  const [wanted, given] = [urlOf(pattern), urlOf(repository)];
  if (wanted === undefined || given === undefined) {
    return wanted === given && matchesPattern(plain(pattern), plain(repository));
  }
  const { scheme, host } = wanted;
  const path = host === "*" && wanted.path === "" ? "*" : wanted.path;
  return matchesPattern(scheme, given.scheme) && matchesPattern(host, given.host) && matchesPattern(path, given.path);
}

/** Encoded or not: dots that climb, and what ends a path or begins another host for some readers. */
function leadsElsewhere(repository: string): boolean {
  const decoded = repository.replace(/%2e/gi, ".").replace(/%2f/gi, "/").replace(/%5c/gi, "\\");
  return /[\\?#\s\p{Cc}]/u.test(decoded) || decoded.split("/").some((part) => part === ".." || part === ".");
}

/** Undefined for the path of a local repository. */
function urlOf(text: string): Url | undefined {
  const scp = /^[\w.-]+@([\w.-]+):(?!\/\/)\/?(.+)$/.exec(text);
  const [, scheme, authority, path] = scp
    ? ["", "ssh", scp[1], `/${scp[2]}`]
    : (/^([a-z*][a-z0-9+.*-]*):\/\/([^/]*)(.*)$/i.exec(text) ?? []);
  if (scheme === undefined || authority === undefined || path === undefined) return undefined;
  const host = authority.slice(authority.lastIndexOf("@") + 1).toLowerCase();
  return { scheme: scheme.toLowerCase(), host, path: plain(path).toLowerCase() };
}

function plain(path: string): string {
  return path.replace(/\/+$/, "").replace(/\.git$/i, "");
}
