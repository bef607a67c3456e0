import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { init } from "../../cli/commands/init.ts";
import { configurationText } from "../../cli/init/configuration-text.ts";
import type { Step } from "../../cli/init/step.ts";
import { checkConfiguration } from "../../lib/config/configuration.ts";
import { type GithubStandIn, startGithub } from "../support/github.ts";
import { type Account, type AwsStandIn, environmentOf, startAws } from "./aws/stand-in.ts";
import { runDriftless } from "./run.ts";

const repository = "https://github.com/acme/platform.git";
const githubArn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:driftless/github-AbCdEf";
const webhookArn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:WebhookSecret-AbCdEf";
const outputs = {
  HttpApiUrl: "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
  WebhookSecretArn: webhookArn,
  SyncRoleArn: "arn:aws:iam::111122223333:role/driftless-prod-SyncRole-1",
  SweepRoleArn: "arn:aws:iam::111122223333:role/driftless-prod-SweepRole-1",
  PlanRoleArn: "arn:aws:iam::111122223333:role/driftless-prod-PlanRole-1",
  PreviewRoleArn: "arn:aws:iam::111122223333:role/driftless-prod-PreviewRole-1",
};

suite("driftless init", () => {
  let aws: AwsStandIn;
  let github: GithubStandIn;
  let root: string;
  let folder: string;
  const outside = { ...process.env };
  const fresh = (): Pick<Account, "stack" | "secrets" | "denied" | "otherStacks"> => ({
    stack: undefined,
    otherStacks: [],
    secrets: { [webhookArn]: '{"current":"driftless-own-webhook-secret"}' },
    denied: new Set(),
  });

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "driftless-init-"));
    aws = await startAws({ ...fresh(), queues: {}, oldest: 0, table: {}, pitr: "", ttl: {} });
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
    Object.assign(process.env, environmentOf(aws));
  });
  after(async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
    Object.assign(process.env, outside);
    await aws.close();
    await rm(root, { recursive: true, force: true });
  });
  beforeEach(async () => {
    Object.assign(aws.account, fresh());
    folder = await mkdtemp(join(root, "work-"));
  });

  const run = async (
    values: Readonly<Record<string, unknown>> = {},
    say: (line: string) => void = () => undefined,
  ): Promise<{ readonly steps: readonly Step[]; readonly text: string; readonly of: (title: string) => Step | undefined }> => {
    const { json, text } = await init.run({
      output: "table",
      positionals: [],
      values: { repository, cluster: ["prod"], "output-dir": folder, yes: true, ...values },
      region: "eu-central-1",
      environment: environmentOf(aws),
      say,
    });
    const steps = JSON.parse(json) as readonly Step[];
    return { steps, text, of: (title) => steps.find((step) => step.title === title) };
  };

  test("a new driftless.yaml is valid, names the clusters, and knows its schema", async () => {
    await run({ cluster: ["prod", "Eu_West-1"] });
    const text = await readFile(join(folder, "driftless.yaml"), "utf8");
    const check = checkConfiguration({ text, file: "driftless.yaml", repository });
    assert.ok(check.valid);
    assert.deepEqual(
      check.configuration.clusters.map((cluster) => [cluster.name, cluster.kind === "eks" ? cluster.clusterName : ""]),
      [
        ["prod", "prod"],
        ["eu-west-1", "Eu_West-1"],
      ],
    );
    const [, schema = ""] = /^# yaml-language-server: \$schema=\.\/(.*)$/m.exec(text) ?? [];
    assert.equal(typeof JSON.parse(await readFile(join(folder, schema), "utf8")), "object");
  });

  test("the examples in its comments are valid once they are no comments", () => {
    const text = configurationText({ clusters: ["prod"], region: "eu-central-1" });
    const told = text
      .replace("applications: [] #", "applications: #")
      .replace(/^# (projects:\n(?:# .*\n)*)/m, (_, lines: string) => lines.replace(/^# /gm, ""))
      .replace(/(applications:.*\n)((?:#.*\n)*)/, (_, head: string, lines: string) => head + lines.replace(/^# ?/gm, ""))
      .replace("- name: shop\n    repository", "- name: shop\n    project: shop\n    repository");
    const check = checkConfiguration({ text: told, file: "driftless.yaml", repository });
    assert.deepEqual(check.valid ? [] : check.problems, [], told);
  });

  test("a file that is there is never overwritten, and running again changes nothing", async () => {
    await writeFile(join(folder, "driftless.yaml"), "mine: true\n");
    const { of } = await run();
    assert.equal(of("driftless.yaml")?.state, "done");
    assert.equal(await readFile(join(folder, "driftless.yaml"), "utf8"), "mine: true\n");
    const asked = aws.asked.filter((operation) => operation === "CreateSecret").length;
    await run();
    assert.equal(aws.asked.filter((operation) => operation === "CreateSecret").length, asked);
  });

  test("before the deployment: the secret is made, the commands have every parameter, the rest is left in order", async () => {
    const { steps, of } = await run();
    assert.deepEqual(
      steps.map(({ title, state }) => [title, state]),
      [
        ["driftless.yaml", "left"],
        ["secret for GitHub", "done"],
        ["deploy", "left"],
        ["GitHub App", "left"],
        ["webhook", "left"],
        ["cluster access", "left"],
        ["look at every link", "left"],
      ],
    );
    assert.equal(aws.account.secrets[githubArn], "{}");
    const shared =
      `--stage prod --region eu-central-1 --param configRepository=${repository}` +
      ` --param clusterArns=arn:aws:eks:eu-central-1:111122223333:cluster/prod --param githubSecret=${githubArn}`;
    assert.deepEqual(of("deploy")?.commands, [`npm run package -- ${shared}`, `npx osls deploy --package .serverless ${shared}`]);
  });

  test("with only public repositories there is no App, and the webhook says how its secret is got", async () => {
    aws.account.stack = { status: "CREATE_COMPLETE", outputs };
    const { steps, of, text } = await run({ public: true });
    assert.ok(!steps.some(({ title }) => title === "GitHub App"));
    assert.match(of("webhook")?.says ?? "", /URL https:\/\/a1b2c3d4e5\.execute-api\.eu-central-1\.amazonaws\.com\/webhook/);
    assert.deepEqual(of("webhook")?.commands, [
      `aws secretsmanager get-secret-value --region eu-central-1 --secret-id ${webhookArn} --query SecretString --output text | jq -r .current`,
    ]);
    assert.ok(!text.includes("driftless-own-webhook-secret"));
  });

  test("a cluster's stack is named with the roles, and left out once it stands", async () => {
    aws.account.stack = { status: "UPDATE_COMPLETE", outputs };
    aws.account.otherStacks = ["driftless-cluster-eu-west"];
    const { of } = await run({ cluster: ["prod", "eu_west"] });
    const [stack, rights, ...more] = of("cluster access")?.commands ?? [];
    assert.equal(
      stack,
      "aws cloudformation deploy --region eu-central-1 --stack-name driftless-cluster-prod --template-file infra/cluster.yml --parameter-overrides ClusterName=prod" +
        ` SyncRoleArn=${outputs.SyncRoleArn} SweepRoleArn=${outputs.SweepRoleArn} PlanRoleArn=${outputs.PlanRoleArn} PreviewRoleArn=${outputs.PreviewRoleArn}`,
    );
    assert.match(rights ?? "", /kubectl apply -f infra\/rbac\/read\.yaml -f infra\/rbac\/apply\.yaml$/);
    assert.deepEqual(more, []);
    aws.account.otherStacks = ["driftless-cluster-eu-west", "driftless-cluster-prod"];
    assert.equal((await run({ cluster: ["prod", "eu_west"] })).of("cluster access")?.state, "done");
  });

  test("without credentials of AWS everything is said, and nothing is asked", async () => {
    aws.account.denied.add("GetCallerIdentity");
    const { of } = await run();
    assert.match(of("secret for GitHub")?.says ?? "", /AWS was not asked: sts GetCallerIdentity: AccessDenied/);
    assert.match(of("deploy")?.commands[0] ?? "", /ACCOUNT_ID:cluster\/prod --param githubSecret=GITHUB_SECRET_ARN$/);
  });

  suite("the GitHub App by manifest", () => {
    before(async () => {
      github = await startGithub({ root: join(root, "github") });
    });
    after(() => github.close());
    beforeEach(() => {
      aws.account.stack = { status: "CREATE_COMPLETE", outputs };
      github.page.manifests.length = 0;
    });

    /** Does what the browser and its user do: opens the page, sends its form, follows GitHub back. */
    const press = async (line: string, change: (url: string) => string = (url) => url): Promise<number> => {
      const [place = ""] = /http:\/\/127\.0\.0\.1:\d+\//.exec(line) ?? [];
      const page = await (await fetch(place)).text();
      const unescape = (text: string): string =>
        text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
      const [, action = ""] = /action="([^"]+)"/.exec(page) ?? [];
      const [, manifest = ""] = /name="manifest" value="([^"]+)"/.exec(page) ?? [];
      const body = new URLSearchParams({ manifest: unescape(manifest) });
      const answer = await fetch(unescape(action), { method: "POST", body, redirect: "manual" });
      const back = await fetch(change(answer.headers.get("location") ?? ""));
      await back.body?.cancel();
      return back.status;
    };
    const options = () => ({
      "github-app": true,
      "github-url": github.server.url,
      organization: "acme",
      repository: `${github.server.url}/acme/platform.git`,
    });

    test("asks for no more than it needs, keeps the key in Secrets Manager, signs deliveries with our secret", async () => {
      const said: string[] = [];
      const pressed: Promise<number>[] = [];
      const { of, text } = await run(options(), (line) => {
        said.push(line);
        pressed.push(press(line));
      });
      assert.deepEqual(await Promise.all(pressed), [200]);
      const [manifest] = github.page.manifests;
      assert.equal(manifest?.["postedTo"], "/organizations/acme/settings/apps/new");
      assert.deepEqual(manifest?.["default_permissions"], { contents: "read", checks: "write", metadata: "read" });
      assert.deepEqual(manifest?.["default_events"], ["push"]);
      assert.equal(manifest?.["public"], false);
      assert.deepEqual(JSON.parse(aws.account.secrets[githubArn] ?? ""), { appId: github.appId, privateKey: github.privateKey });
      assert.deepEqual(github.page.hook, {
        url: `${outputs.HttpApiUrl}/webhook`,
        secret: "driftless-own-webhook-secret",
        content_type: "json",
        insecure_ssl: "0",
      });
      assert.match(
        of("GitHub App")?.says ?? "",
        /is made, its key is in driftless\/github; .*install it .*\/apps\/driftless-acme\/installations\/new$/,
      );
      for (const secret of ["PRIVATE KEY", "the-client-secret", "githubs-own", "driftless-own-webhook-secret"])
        assert.ok(![text, ...said].join("\n").includes(secret), secret);
      const again = await run(options(), () => assert.fail("nothing is made twice"));
      assert.deepEqual([again.of("GitHub App")?.state, again.of("webhook")?.state], ["done", "done"]);
    });

    test("the key goes into a file that only its owner can read, where one is named", async () => {
      const file = join(folder, "app.json");
      await writeFile(file, "older", { mode: 0o644 });
      const pressed: Promise<number>[] = [];
      const { of } = await run({ ...options(), "credentials-file": file }, (line) => pressed.push(press(line)));
      await Promise.all(pressed);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal(JSON.parse(await readFile(file, "utf8")).appId, github.appId);
      assert.match(
        of("GitHub App")?.commands[0] ?? "",
        /^aws secretsmanager put-secret-value --secret-id driftless\/github --secret-string file:\/\//,
      );
      assert.equal(aws.account.secrets[githubArn], undefined);
    });

    test("a visitor who was not sent by the page is turned away, and a code is good once", async () => {
      const pressed: Promise<number>[] = [];
      await run(options(), (line) => {
        pressed.push(
          (async () => {
            const forged = await press(line, (url) => url.replace(/state=\w+/, "state=00"));
            await press(line);
            return forged;
          })(),
        );
      });
      assert.deepEqual(await Promise.all(pressed), [404]);
    });

    test("before the deployment nothing is made, since nobody knows where deliveries go", async () => {
      aws.account.stack = undefined;
      const { of } = await run(options(), () => assert.fail("no page is shown"));
      assert.match(of("GitHub App")?.says ?? "", /^once Driftless is deployed, make it$/);
      assert.match(
        of("GitHub App")?.commands[0] ?? "",
        /^npx driftless init --github-app .*--region eu-central-1 --repository \S+platform\.git .*--cluster prod$/,
      );
    });

    test("a key that Secrets Manager does not take is not lost", async () => {
      aws.account.denied.add("PutSecretValue");
      const rescue = `driftless-app-${github.appId}.json`;
      try {
        await assert.rejects(
          run(options(), (line) => void press(line).catch(() => undefined)),
          (error: Error) => error.message.includes(`kept in ${rescue}`) && !error.message.includes("PRIVATE KEY"),
        );
        assert.equal((await stat(rescue)).mode & 0o777, 0o600);
      } finally {
        await rm(rescue, { force: true });
      }
    });
  });
});

test("what is missing or wrong is said by the option's name, when nobody can be asked", async () => {
  for (const [args, says] of [
    [["init"], /--repository is missing/],
    [["init", "--repository", "git@github.com:acme/platform.git"], /--repository is an https clone URL/],
    [["init", "--repository", repository], /--region is missing/],
    [["init", "--repository", repository, "--region", "mars"], /--region is an AWS region such as eu-central-1, not mars/],
    [["init", "--repository", repository, "--region", "eu-central-1"], /--cluster is missing/],
  ] as const) {
    const { status, stderr } = await runDriftless(args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, says);
  }
});
