import type { CallOptions } from "../model/call.ts";
import type { SourceTree, TreeEntry } from "../model/tree.ts";
import { refusal } from "./refusal.ts";

/** A symbolic link on the way to a path. */
export interface LinkStep {
  readonly path: string;
  readonly oid: string;
  /** Where it leads, behind all other links. */
  readonly target: string;
}

/** What stands at a path once every link on the way is followed. */
export interface FollowedPath {
  /** Leads over no link. */
  readonly path: string;
  readonly entry: TreeEntry | undefined;
  readonly links: readonly LinkStep[];
}

export interface LinkRules {
  /** The folder that a link must stay in; "" is the root. */
  readonly homeOf: (link: string) => string;
}

const maxLinks = 8;
const maxTarget = 4096;

/** Follows links in the commit, never on a disk. Throws `render` where one leads out of its home, in circles or nowhere. */
export async function followPath(
  { tree, path, homeOf }: LinkRules & { readonly tree: SourceTree; readonly path: string },
  options: CallOptions = {},
): Promise<FollowedPath> {
  const direct = await tree.lookup(path, options);
  if (direct !== undefined && direct.type !== "symlink") return { path, entry: direct, links: [] };
  const links: LinkStep[] = [];
  let followed = 0;

  const follow = async (link: string, oid: string): Promise<FollowedPath> => {
    followed += 1;
    if (followed > maxLinks) throw refusal(path, `leads over more than ${maxLinks} symbolic links, or in circles`);
    const text = targetText(link, (await tree.read([oid], options)).get(oid));
    const at = link.includes("/") ? link.slice(0, link.lastIndexOf("/")) : "";
    const found = await walk({ link, from: at, names: text.split("/") });
    if (!isInside(found.path, homeOf(link))) {
      throw refusal(
        link,
        `is a symbolic link to ${text}, out of ${homeOf(link) || "the repository's root"}: put the file itself there`,
      );
    }
    if (found.entry === undefined) throw refusal(link, `is a symbolic link to ${text}, which is not there`);
    links.push({ path: link, oid, target: found.path });
    return found;
  };

  const walk = async (way: { link: string; from: string; names: readonly string[] }): Promise<FollowedPath> => {
    let at = way.from;
    for (const [index, name] of way.names.entries()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (at === "") throw refusal(way.link, "is a symbolic link that leads out of the repository: put the file itself there");
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        continue;
      }
      const here = at === "" ? name : `${at}/${name}`;
      const entry = await tree.lookup(here, options);
      if (entry?.type === "symlink") at = (await follow(here, entry.oid)).path;
      else if (entry === undefined || (entry.type !== "directory" && index < way.names.length - 1)) {
        refuseSubmodule(here, entry);
        return { path: [here, ...way.names.slice(index + 1)].join("/"), entry: undefined, links };
      } else at = here;
    }
    return { path: at, entry: await tree.lookup(at, options), links };
  };

  return walk({ link: path, from: "", names: path.split("/") });
}

function targetText(link: string, body: Uint8Array | undefined): string {
  const text = new TextDecoder().decode(body ?? new Uint8Array());
  if (text === "" || text.length > maxTarget || /[\\\0\ufffd]/.test(text))
    throw refusal(link, "is a symbolic link that names no path");
  if (text.startsWith("/")) {
    throw refusal(
      link,
      "is a symbolic link to an absolute path: let it lead to a file of the repository, or put the file itself there",
    );
  }
  return text;
}

function isInside(path: string, home: string): boolean {
  return home === "" || path === home || path.startsWith(`${home}/`);
}

function refuseSubmodule(path: string, entry: TreeEntry | undefined): void {
  if (entry?.type === "submodule") throw refusal(path, "submodules are not read: put the files into this repository");
}
