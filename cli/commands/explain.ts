import type { RepositoryInputs } from "../../lib/model/application-source.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { fetchApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { shortRevision, textTable } from "../table.ts";

interface Explained {
  readonly application: string;
  readonly revision: string;
  readonly planError: string;
  readonly repositories: readonly RepositoryInputs[];
  readonly pinned: readonly string[];
  readonly readsCapabilities: boolean;
}

export const explain: Command = {
  usage: "explain APP",
  summary: "what an application's last render read: only a change of it renders again",
  help: "\nOBJECT is the object id in Git of what stands at PATH, or absent where the render looked and found nothing.\n",
  options: {},
  positionals: { least: 1, most: 1 },
  async run(invocation) {
    const [name = ""] = invocation.positionals;
    const explained = await fetchApi<Explained>(`/applications/${encodeURIComponent(name)}/inputs`, invocation);
    return { text: explanation(explained), json: stringifyJson(explained as unknown as JsonValue) };
  },
};

function explanation({ application, planError, repositories, pinned, readsCapabilities }: Explained): string {
  const rows = repositories.flatMap(({ repository, targetRevision, revision, paths }) =>
    Object.entries(paths)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, oid]) => [
        repository,
        targetRevision,
        shortRevision(revision),
        path === "" ? "." : path,
        oid.slice(0, 12) || "absent",
      ]),
  );
  const empty = pinned.length === 0 ? `nothing was rendered of ${application} yet` : "nothing was read of Git";
  const more = [
    ...pinned.map((what) => `pinned: ${what}\n`),
    ...(readsCapabilities ? ["also read: the cluster's version and the kinds that it serves\n"] : []),
    ...(planError === "" ? [] : [`the last plan failed, so this is of the one before: ${planError}\n`]),
  ];
  return textTable(["REPOSITORY", "BRANCH", "REVISION", "PATH", "OBJECT"], rows, { empty }) + more.join("");
}
