import { hash } from "node:crypto";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree, TreeEntry } from "../model/tree.ts";

/** The names under which Kustomize looks for its file, in a folder that it is sent to. */
export const kustomizationNames: readonly string[] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** The file that makes a folder a chart. */
export const chartName = "Chart.yaml";

const manifestName = /\.(?:ya?ml|json)$/i;

/** Whether a plain folder's file of this name is read; hidden ones are not. */
export function isManifestName(name: string): boolean {
  return manifestName.test(name) && !name.startsWith(".");
}

/** The input that stands for which files a folder holds, without those below it and without what is in them. */
export function listingInput(folder: string): string {
  return `${folder}/`;
}

/** Changes when a file comes, goes or becomes a link that a plain folder's render would look at. */
export function listingDigest(listing: readonly TreeEntry[]): string {
  const counts = ({ name, type }: TreeEntry): boolean =>
    type === "submodule" || (type !== "directory" && (isManifestName(name) || kustomizationNames.includes(name)));
  const lines = listing.filter(counts).map(({ name, type }) => `${type} ${name}\n`);
  return hash("sha1", lines.join(""), "hex");
}

/** What an input is in a commit: an object id, or the digest of a listing; "" for what is not there. Reads no blob. */
export async function inputAt(tree: SourceTree, input: string, options: CallOptions = {}): Promise<string> {
  if (!input.endsWith("/")) return (await tree.lookup(input, options))?.oid ?? "";
  const folder = await tree.lookup(input.slice(0, -1), options);
  return folder?.type === "directory" ? listingDigest(await tree.list(folder.oid, options)) : "";
}
