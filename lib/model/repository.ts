/**
 * One form for the names that one repository has: `https://github.com/Acme/Shop.git`, `git@github.com:acme/shop`
 * and `https://github.com/acme/shop/` are all `github.com/acme/shop`. A local path stays itself, less a trailing slash.
 */
export function repositoryKey(repository: string): string {
  const scp = /^[\w.-]+@([\w.-]+):(?!\/\/)\/?(.+)$/.exec(repository);
  const url = scp ? `ssh://${scp[1]}/${scp[2]}` : repository;
  const match = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([^/]+)\/(.+)$/i.exec(url);
  if (!match) return repository.replace(/\/+$/, "");
  const path = match[2]!
    .replace(/[?#].*$/, "")
    .replace(/\/+$/, "")
    .replace(/\.git$/i, "");
  return `${match[1]}/${path}`.toLowerCase();
}
