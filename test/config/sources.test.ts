import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkConfiguration, parseConfiguration } from "../../lib/config/configuration.ts";

const repository = "https://github.com/acme/platform";
const digest = `sha256:${"a".repeat(64)}`;
const clusters = "clusters: [{ name: local, context: admin }]\n";

/** The sources of one application whose keys are given, lines that begin at line 5 and column 5. */
const file = (keys: string): string =>
  `${clusters}applications:\n  - name: shop\n    cluster: local\n${keys.replace(/^/gm, "    ").trimEnd()}\n`;

const sources = (keys: string) => {
  const { applications } = parseConfiguration({ text: file(keys), file: "driftless.yaml", repository });
  return applications[0]?.sources;
};

const problems = (keys: string): readonly string[] => {
  const check = checkConfiguration({ text: file(keys), file: "driftless.yaml", repository });
  assert.equal(check.valid, false, "the text was accepted");
  return check.valid ? [] : check.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
};

suite("the sources of an application", () => {
  test("a chart is pinned by version and digest, and has Helm's options", () => {
    const keys = `chart: { repository: oci://registry.example/charts/, name: web, version: 6.5.0, digest: "${digest}" }
helm:
  values: { replicas: 2, image: { tag: "1.10" }, list: [a, null, 1.5] }
  parameters: [{ name: a.b, value: "1", forceString: true }]`;
    assert.deepEqual(sources(keys), [
      {
        kind: "chart",
        chart: { repository: "oci://registry.example/charts", name: "web", version: "6.5.0", digest },
        helm: {
          releaseName: "",
          valueFiles: [],
          ignoreMissingValueFiles: false,
          values: { replicas: 2, image: { tag: "1.10" }, list: ["a", null, 1.5] },
          parameters: [{ name: "a.b", value: "1", forceString: true }],
          kubeVersion: "",
          apiVersions: [],
          skipCrds: false,
        },
      },
    ]);
  });

  test("a kustomization is laid over by images, names, labels, replicas, components and patches", () => {
    const keys = `path: overlays/qa
kustomize:
  images: [web=registry.example/web:2]
  namePrefix: qa-
  commonLabels: { team: shop }
  replicas: [{ name: web, count: 3 }]
  components: [../../components/tls]
  patches:
    - patch: |
        kind: Deployment
      target: { kind: Deployment }
    - patch: "kind: Service"`;
    const [source] = sources(keys) ?? [];
    assert.deepEqual(source, {
      kind: "git",
      repository,
      targetRevision: "main",
      path: "overlays/qa",
      kustomize: {
        images: ["web=registry.example/web:2"],
        namePrefix: "qa-",
        nameSuffix: "",
        namespace: "",
        commonLabels: { team: "shop" },
        commonAnnotations: {},
        replicas: [{ name: "web", count: 3 }],
        components: ["../../components/tls"],
        patches: [{ patch: "kind: Deployment\n", target: { kind: "Deployment" } }, { patch: "kind: Service" }],
      },
    });
  });

  test("several sources are kept in order, and a chart takes value files of another by its ref", () => {
    const keys = `sources:
  - chart: { repository: https://charts.example, name: web, version: 1.2.3, digest: "${digest}" }
    helm: { valueFiles: [$values/qa/web.yaml] }
  - { repository: https://github.com/acme/values, targetRevision: stable, ref: values }
  - { path: ./extra/, directory: { recurse: true, exclude: ["*.json"] } }`;
    assert.deepEqual(
      sources(keys)?.map((source) =>
        source.kind === "git" ? [source.repository, source.targetRevision, source.path, source.ref] : source.chart.name,
      ),
      ["web", ["https://github.com/acme/values", "stable", undefined, "values"], [repository, "main", "extra", undefined]],
    );
  });

  test("an application says in one way where its objects come from", () => {
    assert.deepEqual(problems("namespace: shop"), [
      '3:5 applications[0]: needs one of the keys "path" and "chart" and "sources"',
    ]);
    assert.deepEqual(problems("path: a\nsources: [{ path: b }]"), [
      '6:5 applications[0]: has "path" and "sources": keep one of them',
    ]);
    assert.deepEqual(problems("targetRevision: next\nhelm: {}\nsources: [{ path: b }]"), [
      '5:21 applications[0].targetRevision: stands beside "sources": write it into the source that it is for',
      '6:11 applications[0].helm: stands beside "sources": write it into the source that it is for',
    ]);
  });

  test("options of two renderers, or of one that has no use for them, are a mistake", () => {
    assert.deepEqual(problems("path: a\nkustomize: {}\nhelm: {}"), [
      '7:11 applications[0].helm: stands beside "kustomize": a folder is rendered in one way, keep one of them',
    ]);
    assert.deepEqual(
      problems(
        `chart: { repository: https://charts.example, name: web, version: 1.2.3, digest: "${digest}" }\ntargetRevision: next`,
      ),
      ['6:21 applications[0].targetRevision: stands beside "chart", which has no use for it: take it out'],
    );
  });

  test("a chart without its digest, or with a range for a version, is a mistake", () => {
    const found = problems("chart: { repository: https://charts.example, name: web, version: ^1.2.0 }");
    assert.match(found[0] ?? "", /needs the key "digest" \(digest of the archive/);
    assert.match(found[1] ?? "", /version: must be one exact version such as 6\.5\.0, no range, and is "\^1\.2\.0"/);
  });

  test("a value file leads to a source that there is", () => {
    assert.deepEqual(problems("path: chart\nhelm: { valueFiles: [$values/a.yaml] }"), [
      '6:26 applications[0].helm.valueFiles[0]: names $values, and no source has "ref: values"',
    ]);
    assert.deepEqual(problems("sources: [{ repository: https://github.com/a/b, ref: values }]"), [
      "5:14 applications[0].sources: has no source that gives objects: add one with a path or a chart",
    ]);
    assert.deepEqual(problems("sources: [{ path: a, ref: x }, { path: b, ref: x }, { targetRevision: next }]"), [
      "5:52 applications[0].sources[1].ref: is the name of sources[0] already: names are unique",
      '5:57 applications[0].sources[2]: needs "path" (a folder to render), "chart", or "ref" (to lend its files to other sources)',
    ]);
  });

  test("values that some readers take for something else are a mistake, not a surprise", () => {
    const values = (text: string) => problems(`path: chart\nhelm: { values: { a: ${text} } }`)[0]?.replace(/^\d+:\d+ /, "");
    assert.equal(
      values("yes"),
      "applications[0].helm.values.a: yes is a boolean to some readers and text to others: write true or false, or put it in quotes",
    );
    assert.equal(
      values("0644"),
      "applications[0].helm.values.a: 0644 is a different number to different readers: write it in decimal digits, or put it in quotes",
    );
    assert.match(values("1_000") ?? "", /1_000 is a different number/);
    assert.match(values(".nan") ?? "", /\.nan is no number of JSON/);
    assert.match(values("9007199254740993") ?? "", /larger than every reader keeps exactly/);
    assert.match(values("{ on: 1 }") ?? "", /on is a boolean to some readers/);
    assert.match(values("{ b: 1, b: 2 }") ?? "", /stands twice/);
    assert.match(values("*x") ?? "", /the alias \*x has no anchor before it/);
  });

  test("a value that holds itself, or grows beyond all bounds, is refused", () => {
    assert.match(problems("path: chart\nhelm: { values: { a: &a [*a] } }")[0] ?? "", /nested too deeply/);
    const nine = Array.from({ length: 9 }, (_, n) => `x${n + 1}: &x${n + 1} [${Array(9).fill(`*x${n}`).join(", ")}]`);
    assert.match(
      problems(`path: chart\nhelm:\n  values:\n    x0: &x0 [a, b]\n${nine.map((line) => `    ${line}`).join("\n")}`)[0] ?? "",
      /more than 20000 values/,
    );
  });

  test("labels are texts", () => {
    assert.deepEqual(problems("path: a\nkustomize: { commonLabels: { version: 1 } }"), [
      "6:32 applications[0].kustomize.commonLabels.version: must be text: put it in quotes",
    ]);
    assert.deepEqual(problems('path: a\nkustomize: { replicas: [{ name: web, count: "3" }] }'), [
      '6:49 applications[0].kustomize.replicas[0].count: must be a whole number from 0 to 2147483647, and is "3"',
    ]);
  });
});

test("bases of other repositories are allowed by the beginning of their URL, up to a slash", () => {
  const parse = (text: string) => parseConfiguration({ text, file: "driftless.yaml", repository });
  const allowed = "remoteBases: [https://github.com/acme/]\nrepositories: [{ url: https://github.com/acme/shop, id: 42 }]\n";
  const { remoteBases, repositories } = parse(`${clusters}applications: []\n${allowed}`);
  assert.deepEqual(
    [remoteBases, repositories],
    [["https://github.com/acme/"], [{ url: "https://github.com/acme/shop", id: 42 }]],
  );
  assert.throws(() => parse(`${clusters}applications: []\nremoteBases: [https://github.com/acme]\n`), {
    message: /remoteBases\[0\]: must be the beginning of a URL that ends in a slash/,
  });
});
