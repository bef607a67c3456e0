import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { type Check, checkOf } from "../../model/check.ts";
import { repositoryKey } from "../../model/repository.ts";
import type { AppFacts, GithubInspector, Permissions, Reach } from "../../source/github-inspection.ts";

export interface GithubLinks {
  /** Absent: Git is read anonymously. */
  readonly github?: GithubInspector;
  /** Clone URLs of all that is read. */
  readonly repositories: readonly string[];
  /** Where the App's deliveries should go; "" when that is not known. */
  readonly webhook: string;
}

/** Whether GitHub lets Driftless read its repositories, and sends what is pushed to the right place. */
export async function checkGithub(
  { github, repositories, webhook }: GithubLinks,
  options: CallOptions,
): Promise<readonly Check[]> {
  const rights = checkOf("github: rights");
  if (github === undefined) {
    const text = "Git is read anonymously: only public repositories can be read";
    return [rights.ok(`${text}; docs/operations.md, "Private repositories", for others`)];
  }
  try {
    const app = await github.app(options);
    if (app === undefined)
      return [rights.warn("a token is used, which is meant for a first try", "make an App: driftless init --github-app")];
    const reach = (repository: string) => repositoryCheck(repository, { github, app }, options);
    const reached = await mapConcurrently(repositories, { limit: 8, work: reach });
    return [rightsCheck(app), hookCheck(app, webhook), ...reached.filter((check) => check !== undefined)];
  } catch (error) {
    const isAway = isDriftlessError(error, "source") && error.retryable && error.facts["status"] === undefined;
    const network =
      "where the functions stand in a network without a way out (subnetIds), that is as it should be: only plan and sweep read GitHub";
    if (isAway) return [rights.warn(messageOf(error), network)];
    return [rights.fail(messageOf(error), "put a good App id and key into the secret githubSecret: docs/operations.md")];
  }
}

function rightsCheck({ appId, name, permissions }: AppFacts): Check {
  const check = checkOf("github: rights");
  const app = `App ${name} (${appId})`;
  if (!canRead(permissions)) return check.fail(`${app} may not read contents`, 'give it "Contents: Read-only" in its settings');
  const wide = Object.entries(permissions).filter(
    ([right, level]) => level !== "read" && right !== "checks" && right !== "statuses" && right !== "pull_requests",
  );
  if (wide.length > 0) {
    const text = `${app} may more than it needs: ${wide.map(([right, level]) => `${right}: ${level}`).join(", ")}`;
    return check.warn(text, "take these out of its settings: Driftless reads contents, and writes checks at most");
  }
  return check.ok(`${app} may read contents`);
}

function hookCheck({ events, hookUrl }: AppFacts, webhook: string): Check {
  const check = checkOf("github: webhook of the App");
  if (hookUrl === "") return check.skipped("the App has none: deliveries come from webhooks of the repositories");
  if (webhook !== "" && hookUrl !== webhook)
    return check.fail(
      `it goes to ${hookUrl}, and not to ${webhook}`,
      "correct the webhook URL in the App's settings, or run driftless init",
    );
  if (!events.includes("push")) return check.fail("the App does not subscribe to pushes", 'choose "Push" under its events');
  return check.ok(`pushes go to ${hookUrl}`);
}

async function repositoryCheck(
  repository: string,
  { github, app }: { readonly github: GithubInspector; readonly app: AppFacts },
  options: CallOptions,
): Promise<Check | undefined> {
  const check = checkOf(`github: ${repositoryKey(repository)}`);
  const reach: Reach = await github.reach(repository, options);
  const install = `install the App ${app.name} for it: its settings, Install App`;
  switch (reach.state) {
    case "elsewhere":
      return undefined;
    case "moved":
      return check.fail("it was renamed or transferred", "put its new URL into the configuration");
    case "not-installed":
      return check.fail("the App is not installed for it, or there is no such repository", install);
    case "suspended":
      return check.fail(`the installation is suspended since ${reach.since}`, "unsuspend it in GitHub");
    case "reached":
      if (canRead(reach.permissions)) return check.ok("the App reads it");
      return check.fail("the installation has not granted to read contents", "accept the App's new permissions in GitHub");
    default:
      return reach satisfies never;
  }
}

function canRead({ contents }: Permissions): boolean {
  return contents === "read" || contents === "write";
}
