import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createGzip, gzipSync } from "node:zlib";
import { noHelmOptions } from "../../lib/model/application-source.ts";
import { HelperProcess } from "../../lib/render/helper-process.ts";
import type { HelmJob } from "../../lib/render/helper-protocol.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import * as charts from "./helm-charts.ts";
import { helperBinary, renderFolder, testRenderer } from "./helper.ts";
import { type TarEntry, tarball, tarHeader } from "./tarball.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();

const shop: TreeFiles = {
  "app/Chart.yaml": charts.chartYaml("web"),
  "app/values.yaml": "level: info\n",
  "app/templates/settings.yaml": charts.configTemplate("settings", "level: {{ .Values.level | quote }}"),
};

const render = (files: TreeFiles, helm: Partial<typeof noHelmOptions> = {}) =>
  renderFolder(renderer, {
    tree: memoryTree({ ...shop, ...files }),
    path: "app",
    source: { helm: { ...noHelmOptions, ...helm } },
  });

const template = (text: string): TreeFiles => ({ "app/templates/x.yaml": text });

const refused = (files: TreeFiles, message: string | RegExp, helm: Partial<typeof noHelmOptions> = {}) =>
  assert.rejects(render(files, helm), { name: "DriftlessError", code: "render", retryable: false, message });

/** A job for a chart that is these bytes. */
const archived = (archive: Uint8Array): HelmJob => ({
  op: "render",
  renderer: "helm",
  path: "web",
  entries: [],
  valueFiles: [],
  archive: Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength).toString("base64"),
  helm: { ...noHelmOptions, releaseName: "shop", namespace: "default", clusterApiVersions: [], skipTests: true },
});

const child = new HelperProcess({
  helper: await helperBinary(),
  timeoutMs: 30_000,
  concurrency: 8,
  decryption: {},
  log: silentLog,
});
after(() => child.close());

async function answerTo(archive: Uint8Array): Promise<string> {
  const { error } = await child.run({ request: archived(archive), lookup: async () => [] });
  return error?.message ?? "";
}

test("C1 C2 an archive with paths or links that lead out of the chart is refused", async () => {
  const good = charts.below("web", charts.web);
  const bad: readonly (readonly [string, TarEntry])[] = [
    ["web/../../evil.yaml", "a: 1"],
    ["/etc/evil.yaml", "a: 1"],
    ["../evil.yaml", "a: 1"],
    ["web/C:/evil.yaml", "a: 1"],
    ["web/link.yaml", { link: "/etc/passwd" }],
    ["web/templates/link.yaml", { link: "../../x" }],
  ];
  for (const [name, entry] of bad) assert.match(await answerTo(tarball({ ...good, [name]: entry })), /^the archive /, name);
  assert.equal(await answerTo(tarball(good)), "");
});

test("C4 an archive that expands beyond all bounds is refused, and the helper lives", async () => {
  const zeros = Buffer.alloc(16 << 20);
  const gzip = createGzip();
  const chunks: Buffer[] = [];
  gzip.on("data", (chunk: Buffer) => chunks.push(chunk));
  gzip.write(tarHeader("web/zeros", { size: 200 << 20 }));
  for (let i = 0; i < 13; i++) gzip.write(zeros);
  gzip.end();
  await once(gzip, "end");
  await child.run({ request: archived(tarball(charts.below("web", charts.web))), lookup: async () => [] });
  const { pid } = child;
  const tooLarge = "the chart takes more than 100 MiB when it is unpacked";
  assert.equal(await answerTo(Buffer.concat(chunks)), tooLarge);
  const bomb = gzipSync(
    Buffer.concat([tarHeader("inner/zeros", { size: 60 << 20 }), Buffer.alloc(60 << 20), Buffer.alloc(1024)]),
  );
  const nested = { ...charts.below("web", charts.web), "web/charts/a-1.tgz": bomb, "web/charts/b-1.tgz": bomb };
  assert.equal(await answerTo(tarball(nested)), tooLarge);
  assert.equal(child.pid, pid);
});

test("C4 an archive of very many files is refused, also when they are empty", async () => {
  const blocks = Array.from({ length: 20_001 }, (_, index) => tarHeader(`web/${index}`, { size: 0 }));
  assert.equal(await answerTo(gzipSync(Buffer.concat(blocks))), "the chart has more than 20,000 files");
});

test("C4 what is no archive is refused", async () => {
  assert.equal(await answerTo(Buffer.from("PK")), "the archive is not a chart: it is not compressed by gzip");
  assert.match(await answerTo(gzipSync("not a tar")), /^the archive is broken: /);
  const whole = tarball(charts.below("web", charts.web));
  assert.match(await answerTo(whole.subarray(0, whole.length / 2)), /^the archive is broken: /);
});

test("D1 a template finds no environment, no files but its own and no processes", async () => {
  await refused(template('{{ env "PATH" }}'), 'app/templates/x.yaml:1: function "env" not defined');
  await refused(template('{{ expandenv "$PATH" }}'), 'app/templates/x.yaml:1: function "expandenv" not defined');
  const looked = ["/etc/hostname", "../../../../etc/hostname", "/proc/self/environ", "app/Chart.yaml", "../values/secret.yaml"];
  const { objects } = await render({
    ...template(charts.configTemplate("looked", looked.map((path, i) => `f${i}: {{ .Files.Get "${path}" | quote }}`).join("\n"))),
    "values/secret.yaml": "hush",
  });
  assert.deepEqual(objects.find(({ metadata }) => metadata.name === "looked")?.["data"], {
    f0: "",
    f1: "",
    f2: "",
    f3: "",
    f4: "",
  });
});

test("D1 a schema reads neither files nor the network", async () => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const foreign = [
    "file:///etc/hostname",
    "file:///proc/self/environ",
    "other.json",
    `http://127.0.0.1:${port}/schema.json`,
    `https://127.0.0.1:${port}/`,
  ];
  for (const address of foreign) {
    const schemas = [{ $ref: address }, { properties: { level: { $ref: `${address}#/a` } } }, { $schema: address }];
    for (const schema of schemas)
      await refused(
        { "app/values.schema.json": JSON.stringify(schema) },
        /^app\/values\.schema\.json: the schema refers to .*: a render reads the chart only/,
      );
    const escaped = JSON.stringify({ $ref: address }).replace("$ref", "\\u0024ref");
    await refused({ "app/values.schema.json": escaped }, /the schema refers to/);
    await refused(
      {
        "app/charts/sub/Chart.yaml": charts.chartYaml("sub"),
        "app/charts/sub/values.schema.json": JSON.stringify({ $ref: address }),
      },
      /^app\/charts\/sub\/values\.schema\.json: the schema refers to/,
    );
  }
  assert.deepEqual(requests, []);
});

const bombs: readonly (readonly [string, RegExp])[] = [
  ['{{ repeat 200000000 "x" }}', /repeat is asked for 200000000 bytes: the limit of a render is 10485760$/],
  ["{{ until 10000000 }}", /until is asked for 10000000 items: the limit of a render is 1000000$/],
  ["{{ until 100000000 }}", /until is asked for 100000000 items: the limit of a render is 1000000$/],
  ["{{ untilStep 0 -100000000 -1 }}", /untilStep is asked for 100000000 items/],
  ["{{ untilStep -9223372036854775807 9223372036854775807 1 }}", /untilStep is asked for 18446744073709551616 items/],
  ["{{ seq 100000000 }}", /seq is asked for/],
  ['{{ "x" | indent 2000000000 }}', /indent is asked for/],
  ['{{ "x" | nindent 2000000000 }}', /indent is asked for/],
  ["{{ randAlphaNum 2000000000 }}", /is asked for 2000000000 characters/],
  ["{{ randBytes 2000000000 }}", /is asked for 2000000000 bytes/],
  ['{{ $a := repeat 1000000 "x" }}{{ replace "x" $a $a }}', /replace is asked for/],
  ['{{ range until 20 }}{{ repeat 1000000 "x" }}{{ end }}', /chart web gives more than the 10 MiB that one render may give$/],
];

test("D4 a template that asks for too much is refused at once, with the limit, and the helper lives", async () => {
  for (const [text, message] of bombs) await refused(template(text), message);
  const { objects } = await render({});
  assert.equal(objects.length, 1);
});

test("D4 a template that takes memory in another way ends its helper, and only its own render fails", async () => {
  // Doubled thirty times: by no function that has a limit.
  const growing = '{{ $a := "x" }}{{ range until 34 }}{{ $a = print $a $a }}{{ end }}';
  const bomb = render(template(growing));
  const neighbours = Promise.all(["a", "b", "c"].map((level) => render({}, { values: { level } })));
  await assert.rejects(bomb, {
    code: "render",
    retryable: false,
    message: "app: the render takes more memory than the 1024 MiB that it may have",
  });
  assert.deepEqual(
    (await neighbours).map(({ objects }) => objects[0]?.["data"]),
    [{ level: "a" }, { level: "b" }, { level: "c" }],
  );
});

test("D4 a template that never ends is stopped, and the next render is not touched", async () => {
  const impatient = await testRenderer({ timeoutMs: 1000 });
  const endless = template("{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}");
  const folder = (files: TreeFiles) => renderFolder(impatient, { tree: memoryTree({ ...shop, ...files }), path: "app" });
  await assert.rejects(folder(endless), { code: "render", message: "rendering app took longer than 1 s and was stopped" });
  assert.equal((await folder({})).objects.length, 1);
});

test("D4 templates that include each other for ever are refused", async () => {
  const round = '{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}';
  await refused(
    { "app/templates/_round.tpl": round, ...template('{{ include "a" . }}') },
    /^app\/templates\/x\.yaml:1: .*nested reference name/,
  );
});

test("D5 plugins, post-renderers and dependencies that are not there have no effect, or are refused", async () => {
  const { objects } = await render({
    "app/plugin.yaml": "name: evil\ncommand: touch /tmp/evil\nhooks: {install: touch /tmp/evil}\n",
    "app/post-renderer.sh": "#!/bin/sh\necho evil",
    "app/values.yaml": "level: info\npostRenderer: ./post-renderer.sh\n",
  });
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.name),
    ["settings"],
  );
  const depends = (repository: string): TreeFiles => ({
    "app/Chart.yaml": charts.chartYaml("web", `dependencies: [{name: other, version: 1.x, repository: "${repository}"}]\n`),
    "app/Chart.lock": "dependencies: [{name: other, version: 1.0.0}]\n",
    "other/Chart.yaml": charts.chartYaml("other"),
  });
  const advice = "a render fetches no charts; run `helm dependency build` and commit what it puts there";
  await refused(depends("https://charts.example"), `app/Chart.yaml: dependency other is not in charts/: ${advice}`);
  await refused(
    depends("file://../other"),
    `app/Chart.yaml: dependency other is not in charts/ (file://../other lies outside of the chart): ${advice}`,
  );
});

const secret = (value: string): TreeFiles =>
  template(
    `apiVersion: v1\nkind: Secret\nmetadata: {name: key, namespace: qa}\nstringData: {a: fixed, b: {{ ${value} | quote }}}\n`,
  );

test("D6 a chart that renders differently each time is refused, with the object and the field", async () => {
  const chances = [
    "randAlphaNum 1",
    "randAlpha 1",
    "randNumeric 1",
    "randAscii 1",
    "randBytes 1",
    "randInt 0 2",
    'shuffle "ab"',
    "uuidv4",
    'genPrivateKey "ecdsa"',
    '(genCA "x" 1).Cert',
    'bcrypt "x"',
    'htpasswd "a" "b"',
    'encryptAES "k" "x"',
    "now",
    'now | date "2006"',
    'now | date "15"',
    "now | unixEpoch",
    'dateInZone "2006" "" "UTC"',
    'date "01" nil',
    'htmlDate ""',
    'now | dateModify "-24h" | htmlDate',
    "ago 0",
    'durationRound (toDate "2006" "2020")',
  ];
  for (const chance of chances) {
    await refused(
      secret(chance),
      "app/templates/x.yaml: Secret qa/key comes out differently each time, at stringData.b: the chart shows a random value or " +
        "the time there, so that every sync would change it; give it a fixed value",
    );
  }
});

test("D6 an object that has another name each time is named too", async () => {
  const named = template("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a-{{ randAlpha 3 | lower }}}\n");
  await refused(named, /^app\/templates\/x\.yaml: ConfigMap a-[a-z]{3} is there in one render and not in the next: /);
});

test("D6 chance and time that nobody sees are no matter", async () => {
  const unseen = [
    "# made at {{ now }} {{ uuidv4 }}",
    "{{ $password := randAlphaNum 16 }}",
    "{{ if gt (now | unixEpoch | int64) 1000 }}# later{{ end }}",
    "{{/* {{ now }} */}}",
  ].join("\n");
  const stays = charts.configTemplate(
    "stays",
    'length: {{ randAlphaNum 16 | len | quote }}\nfixed: {{ toDate "2006-01-02" "2020-02-03" | date "02.01.2006" }}',
  );
  const { objects } = await render({ ...template(`${unseen}\n${stays}`), "app/templates/NOTES.txt": "{{ now }}" });
  assert.deepEqual(objects.map(({ metadata }) => metadata.name).sort(), ["settings", "stays"]);
  assert.deepEqual(objects.find(({ metadata }) => metadata.name === "stays")?.["data"], { length: "16", fixed: "03.02.2020" });
});

test("D6 the order of keys and values, which Helm leaves to chance, is fixed", async () => {
  const map = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${(index * 7) % 20}`, index]));
  const texts = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const { objects } = await render(
      template(
        charts.configTemplate(
          "map",
          'keys: {{ keys .Values.map | join " " | quote }}\nvalues: {{ values .Values.map | join " " | quote }}',
        ),
      ),
      { values: { map } },
    );
    texts.add(JSON.stringify(objects));
  }
  assert.equal(texts.size, 1);
});

test("D6 a template that changes its values gives the same in both looks", async () => {
  const changing = charts.configTemplate(
    "changing",
    '{{- $_ := set .Values.map "added" (len .Values.map) }}\nsize: {{ .Values.map.added | quote }}',
  );
  const { objects } = await render({ ...template(changing), "app/values.yaml": "level: a\nmap: {one: 1}\n" });
  assert.deepEqual(objects.find(({ metadata }) => metadata.name === "changing")?.["data"], { size: "1" });
});

test("D7 a render sees no cluster: lookup and names of hosts give nothing", async () => {
  const looking = charts.configTemplate(
    "looking",
    'secret: {{ lookup "v1" "Secret" "kube-system" "admin" | toJson | quote }}\nhost: {{ getHostByName "localhost" | quote }}',
  );
  const { objects } = await render(template(looking));
  assert.deepEqual(objects.find(({ metadata }) => metadata.name === "looking")?.["data"], { secret: "{}", host: "" });
});

test("D8 a value file of another application is reached by a source that is declared, and in no other way", async () => {
  const other: TreeFiles = { "other/values.yaml": "level: hush\n" };
  const outside = "lies outside of";
  const ways: readonly (readonly [string, RegExp])[] = [
    ["../other/values.yaml", new RegExp(`^../other/values.yaml: the value file ${outside} the chart's folder: give a source a`)],
    ["a/../../other/values.yaml", new RegExp(`${outside} the chart's folder`)],
    ["$here/../other/values.yaml", /the application has no source with "ref: here"$/],
    ["/other/values.yaml", /a value file is named from the chart's folder/],
    ["$", /a value file is named from the chart's folder/],
    ["https://values.example/values.yaml", /value files are not fetched/],
    ["file:///etc/hostname", /value files are not fetched/],
    ["templates", /the value file is a folder/],
    ["link.yaml", /is a symbolic link to \.\.\/other\/values\.yaml, out of app/],
  ];
  for (const [file, message] of ways)
    await refused({ ...other, "app/link.yaml": { link: "../other/values.yaml" } }, file === "link.yaml" ? message : /./, {
      valueFiles: [file],
    });
  for (const [file, message] of ways.filter(([name]) => name !== "link.yaml"))
    await refused(other, message, { valueFiles: [file] });
  const declared = await renderFolder(renderer, {
    tree: memoryTree({ ...shop, ...other }),
    path: "app",
    source: { ref: "here", helm: { ...noHelmOptions, valueFiles: ["$here/other/values.yaml"] } },
  });
  assert.deepEqual(declared.objects[0]?.["data"], { level: "hush" });
  await assert.rejects(
    renderFolder(renderer, {
      tree: memoryTree({ ...shop, ...other }),
      path: "app",
      source: { ref: "here", helm: { ...noHelmOptions, valueFiles: ["$here/../values.yaml"] } },
    }),
    { code: "render", message: "$here/../values.yaml: the value file lies outside of its repository" },
  );
});

test("D9 a chart that is switched off gives no objects, and says nothing else", async () => {
  const { objects } = await render({ "app/templates/settings.yaml": "{{ if .Values.enabled }}a: 1{{ end }}" });
  assert.deepEqual(objects, []);
});
