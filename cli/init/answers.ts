import { createInterface } from "node:readline/promises";
import { flag, type Invocation, textOption, UsageError } from "../command.ts";

/** What has to be known of an installation before it is there. */
export interface Answers {
  /** Clone URL of the platform repository. */
  readonly repository: string;
  readonly branch: string;
  readonly configPath: string;
  readonly region: string;
  readonly stage: string;
  /** Names of EKS clusters, at least one. */
  readonly clusters: readonly string[];
  /** Twelve digits; undefined when it was not given. */
  readonly account: string | undefined;
  readonly outputDir: string;
  readonly github: {
    /** `https://github.com`. */
    readonly url: string;
    readonly organization: string;
    readonly appName: string;
    /** Name of the secret with the App's key. */
    readonly secretName: string;
    /** Where the key goes in place of Secrets Manager; undefined for Secrets Manager. */
    readonly credentialsFile: string | undefined;
    /** False: only public repositories are read, and no App is made. */
    readonly wanted: boolean;
    /** True: make it now. */
    readonly create: boolean;
  };
}

/** Asks one question on the terminal; an empty answer is the fallback. */
type Ask = (question: string, fallback: string) => Promise<string>;

interface Wanted {
  readonly option: string;
  readonly question: string;
  readonly fallback: string;
  readonly pattern: RegExp;
  readonly says: string;
}

const wanted = {
  repository: {
    option: "repository",
    question: "Clone URL of the repository that holds driftless.yaml",
    fallback: "",
    pattern: /^https:\/\/[^\s/@]+\/[^\s@?#]+$|^http:\/\/127\.0\.0\.1[:/]\S+$/,
    says: "an https clone URL without a user, such as https://github.com/ORG/REPOSITORY.git",
  },
  region: {
    option: "region",
    question: "AWS region of Driftless and the clusters",
    fallback: "",
    pattern: /^[a-z]{2}(?:-[a-z]+)+-\d$/,
    says: "an AWS region such as eu-central-1",
  },
  cluster: {
    option: "cluster",
    question: "Name of the EKS cluster (several: commas between them)",
    fallback: "",
    pattern: /^[0-9A-Za-z][\w-]{0,99}(?:\s*,\s*[0-9A-Za-z][\w-]{0,99})*$/,
    says: "the name of an EKS cluster; it may stand several times",
  },
} as const satisfies Record<string, Wanted>;

/** From the options, and from the terminal for what they leave out; throws `UsageError` for what is still missing, or wrong. */
export async function answersOf(invocation: Invocation): Promise<Answers> {
  const isAsking = process.stdin.isTTY && !flag(invocation, "yes");
  const terminal = isAsking ? createInterface({ input: process.stdin, output: process.stderr }) : undefined;
  try {
    const ask: Ask | undefined =
      terminal &&
      (async (question, fallback) => (await terminal.question(`${question}${fallback && ` [${fallback}]`}: `)) || fallback);
    return await gathered(invocation, ask);
  } finally {
    terminal?.close();
  }
}

async function gathered(invocation: Invocation, ask: Ask | undefined): Promise<Answers> {
  const { environment } = invocation;
  const option = (name: string, fallback: string): string => textOption(invocation, name) ?? fallback;
  const repository = await answer(wanted.repository, textOption(invocation, "repository"), ask);
  const fallback = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "";
  const region = await answer({ ...wanted.region, fallback }, invocation.region, ask);
  const given = invocation.values["cluster"] as readonly string[] | undefined;
  const clusters = (await answer(wanted.cluster, given?.join(","), ask)).split(",").map((name) => name.trim());
  const url = option("github-url", "https://github.com").replace(/\/+$/, "");
  const owner = new URL(repository).pathname.split("/")[1] ?? "";
  const wantsGithub = !flag(invocation, "public");
  const isOn = new URL(repository).host === new URL(urlOf(url)).host;
  return {
    repository,
    region,
    clusters: [...new Set(clusters)],
    branch: option("branch", "main"),
    configPath: option("path", "driftless.yaml"),
    stage: matching(option("stage", "prod"), {
      option: "stage",
      pattern: /^[a-z0-9-]{1,20}$/,
      says: "a short word such as prod",
    }),
    account: textOption(invocation, "account"),
    outputDir: option("output-dir", "."),
    github: {
      url,
      organization: option("organization", ""),
      // Names are unique on all of GitHub.
      appName: option("app-name", `driftless-${owner}`.slice(0, 34)),
      secretName: option("secret-name", "driftless/github"),
      credentialsFile: textOption(invocation, "credentials-file"),
      wanted: wantsGithub && isOn,
      create: flag(invocation, "github-app"),
    },
  };
}

function urlOf(text: string): string {
  if (URL.canParse(text)) return text;
  throw new UsageError(`--github-url is an URL such as https://github.com, not ${text}`);
}

async function answer(one: Wanted, given: string | undefined, ask: Ask | undefined): Promise<string> {
  const { option, question, fallback } = one;
  const text = given ?? (ask === undefined ? fallback : await ask(question, fallback));
  if (text === "") throw new UsageError(`--${option} is missing: ${one.says}`);
  return matching(text.trim(), one);
}

function matching(text: string, { option, pattern, says }: Pick<Wanted, "option" | "pattern" | "says">): string {
  if (pattern.test(text)) return text;
  throw new UsageError(`--${option} is ${says}, not ${text}`);
}
