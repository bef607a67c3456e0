import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { checkConfiguration, type FileWithDirectories } from "../../lib/config/configuration.ts";
import { type DirectoriesRequest, directoriesKey, directoriesWanted, wantsDirectory } from "../../lib/config/directories.ts";
import type { Application } from "../../lib/model/application.ts";

const repository = "https://github.com/acme/platform";
const clusters = `clusters:
  - { name: eu, context: eu, labels: { env: prod, acme.com/region: eu-1 } }
  - { name: us, context: us, labels: { env: prod } }
  - { name: qa, context: qa, labels: { env: qa } }
  - { name: lab, context: lab }
`;

/** One set; its generators begin at line 9, in column 7, its template at the line after them. */
const withSet = (generators: readonly string[], template: readonly string[], more = ""): string =>
  `${clusters}applicationSets:
  - name: all${more}
    generators:
${generators.map((line) => `      ${line}\n`).join("")}    template:
${template.map((line) => `      ${line}\n`).join("")}`;

const file = (text: string, folders?: readonly string[]): FileWithDirectories => {
  const wanted = { text, file: "driftless.yaml", repository };
  const answer = (request: DirectoriesRequest) => [directoriesKey(request), folders ?? []] as const;
  return { ...wanted, directories: new Map(folders === undefined ? [] : directoriesWanted(wanted).map(answer)) };
};

function applications(text: string, folders?: readonly string[]): readonly Application[] {
  const check = checkConfiguration(file(text, folders));
  if (!check.valid) return assert.fail(JSON.stringify(check.problems));
  return check.configuration.applications;
}

/** `line:column path: message`. */
function problems(text: string, folders?: readonly string[]): readonly string[] {
  const check = checkConfiguration(file(text, folders));
  assert.ok(!check.valid, "the text was accepted");
  return check.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

const names = (text: string, folders?: readonly string[]): readonly string[] =>
  applications(text, folders).map(({ name }) => name);
const ofClusters = (selector: string): string =>
  withSet([`- clusters: ${selector}`], ['{ name: "{{name}}", cluster: "{{name}}", path: a }']);
const ofFolders = (directories: string): string =>
  withSet([`- git: { directories: ${directories} }`], ['{ name: "{{path.basename}}", cluster: eu, path: "{{path}}" }']);
const ofList = (elements: string, template: string): string => withSet([`- list: { elements: ${elements} }`], [template]);

suite("what generators give", () => {
  test("a list gives an application for each element, as if it was stated", () => {
    const stated = `${clusters}applications:
  - { name: web-a, cluster: eu, path: apps/a, namespace: shop-a, sync: { mode: manual }, helm: { values: { who: a } } }
  - { name: web-b, cluster: us, path: apps/b, namespace: shop-b, sync: { mode: manual }, helm: { values: { who: b } } }
`;
    const generated = withSet(
      ["- list: { elements: [{ team: a, at: eu }, { team: b, at: us }] }"],
      [
        'name: "web-{{team}}"',
        'cluster: "{{ at }}"',
        "path: apps/{{.team}}",
        "namespace: shop-{{ .team }}",
        "sync: { mode: manual }",
        'helm: { values: { who: "{{team}}" } }',
      ],
    );
    assert.deepEqual(applications(generated), applications(stated));
  });

  test("whatever the elements, a set gives what stating each application would give", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
    const element = fc.record({ team: word, at: fc.constantFrom("eu", "us", "qa"), note: fc.string(), count: fc.nat(9) });
    fc.assert(
      fc.property(fc.uniqueArray(element, { selector: ({ team }) => team, minLength: 1, maxLength: 5 }), (elements) => {
        const application = (team: string, at: string, note: string, count: string): string =>
          `{ name: web-${team}, cluster: ${at}, path: apps/${team}, sync: { retry: { limit: ${count} } }, helm: { values: { note: ${note} } } }`;
        const stated = elements.map(({ team, at, note, count }) => application(team, at, JSON.stringify(note), String(count)));
        const [team, at, note, count] = ["{{team}}", '"{{at}}"', '"{{note}}"', '"{{count}}"'] as const;
        const template = application(team, at, note, count)
          .replace("web-{{team}}", '"web-{{team}}"')
          .replace("apps/{{team}}", '"apps/{{team}}"');
        assert.deepEqual(
          applications(ofList(JSON.stringify(elements), template)),
          applications(`${clusters}applications: [${stated.join(", ")}]\n`),
        );
      }),
      { numRuns: 100 },
    );
  });

  test("stated and generated applications stand beside each other", () => {
    const text = `${ofClusters("{}")}applications: [{ name: stated, path: a, cluster: eu }]\n`;
    assert.deepEqual(names(text), ["stated", "eu", "us", "qa", "lab"]);
  });

  const selectors: readonly (readonly [selector: string, names: readonly string[]])[] = [
    ["{}", ["eu", "us", "qa", "lab"]],
    ["{ selector: {} }", ["eu", "us", "qa", "lab"]],
    ["{ selector: { matchLabels: { env: prod } } }", ["eu", "us"]],
    ["{ selector: { matchLabels: { env: prod, acme.com/region: eu-1 } } }", ["eu"]],
    ["{ selector: { matchExpressions: [{ key: env, operator: In, values: [qa, dev] }] } }", ["qa"]],
    ["{ selector: { matchExpressions: [{ key: env, operator: NotIn, values: [prod] }] } }", ["qa", "lab"]],
    ["{ selector: { matchExpressions: [{ key: env, operator: Exists }] } }", ["eu", "us", "qa"]],
    ["{ selector: { matchExpressions: [{ key: env, operator: DoesNotExist }] } }", ["lab"]],
    [
      "{ selector: { matchLabels: { env: prod }, matchExpressions: [{ key: acme.com/region, operator: DoesNotExist }] } }",
      ["us"],
    ],
    ["{ selector: { matchExpressions: [{ key: toString, operator: DoesNotExist }] } }", ["eu", "us", "qa", "lab"]],
  ];
  for (const [selector, chosen] of selectors)
    test(`clusters: ${selector} gives ${chosen.join(", ")}`, () => assert.deepEqual(names(ofClusters(selector)), chosen));

  test("a cluster gives its labels, whatever their names", () => {
    const text = withSet(
      ["- clusters: { selector: { matchLabels: { acme.com/region: eu-1 } } }"],
      ['{ name: "{{name}}-{{metadata.labels.env}}", cluster: "{{name}}", path: "{{ .metadata.labels.acme.com/region }}" }'],
    );
    const [application] = applications(text);
    assert.equal(application?.name, "eu-prod");
    assert.deepEqual(application?.sources, [{ kind: "git", repository, targetRevision: "main", path: "eu-1" }]);
  });

  const folders = ["apps/web", "apps/api", "apps/api/sub", "apps/.hidden", "apps", "other/x", "apps/old"];
  const directories: readonly (readonly [directories: string, names: readonly string[]])[] = [
    ["[{ path: apps/* }]", ["api", "old", "web"]],
    ["[{ path: apps/* }, { path: apps/old, exclude: true }]", ["api", "web"]],
    ["[{ path: apps/** }, { path: apps/o*, exclude: true }]", ["apps", "api", "sub", "web"]],
    ["[{ path: apps/* }, { path: other/* }]", ["api", "old", "web", "x"]],
    ["[{ path: apps/w* }, { path: apps/web }]", ["web"]],
  ];
  for (const [asked, given] of directories)
    test(`folders ${asked} are ${given.join(", ")}, in the order of their paths`, () =>
      assert.deepEqual(names(ofFolders(asked), folders), given));

  test("a folder gives its path, the parts of it, its name, and its name as Kubernetes takes it", () => {
    const text = withSet(
      ["- git: { directories: [{ path: teams/*/* }] }"],
      [
        '{ name: "{{path[1]}}-{{path.basenameNormalized}}", cluster: eu, path: "{{path}}", namespace: "{{path[0]}}", helm: { values: { v: "{{path.basename}}" } } }',
      ],
    );
    const [application] = applications(text, ["teams/shop/My_App.v2"]);
    assert.equal(application?.name, "shop-my-app-v2");
    assert.equal(application?.namespace, "teams");
    const [source] = application?.sources ?? [];
    assert.ok(source?.kind === "git");
    assert.equal(source.path, "teams/shop/My_App.v2");
    assert.deepEqual(source.helm?.values, { v: "My_App.v2" });
  });

  test("a matrix gives every element of one with every element of the other", () => {
    const text = withSet(
      [
        "- matrix:",
        "    generators:",
        "      - clusters: { selector: { matchLabels: { env: prod } } }",
        "      - git: { directories: [{ path: apps/* }] }",
      ],
      ['{ name: "{{path.basename}}-{{name}}", cluster: "{{name}}", path: "{{path}}" }'],
    );
    assert.deepEqual(names(text, ["apps/web", "apps/api"]), ["api-eu", "web-eu", "api-us", "web-us"]);
  });

  test("several generators of one set follow each other", () => {
    const text = withSet(
      ["- list: { elements: [{ name: lab }] }", "- clusters: { selector: { matchLabels: { env: prod } } }"],
      ['{ name: "{{name}}", cluster: "{{name}}", path: a }'],
    );
    assert.deepEqual(names(text), ["lab", "eu", "us"]);
  });

  test("a generator may give nothing where the set says so", () => {
    const text = withSet(
      ["- clusters: { selector: { matchLabels: { env: none } } }"],
      ['{ name: "{{name}}", cluster: "{{name}}", path: a }'],
      "\n    allowEmpty: true",
    );
    assert.deepEqual(names(text), []);
  });
});

suite("what placeholders become", () => {
  const valuesOf = (elements: string, values: string): unknown => {
    const [application] = applications(ofList(elements, `{ name: a, cluster: eu, path: a, helm: { values: ${values} } }`));
    const [source] = application?.sources ?? [];
    return source?.helm?.values;
  };

  test("a text that is one placeholder takes over the type of its value, and any other stays text", () => {
    assert.deepEqual(
      valuesOf("[{ num: 3, on1: true, t: x }]", '{ a: "{{num}}", b: "{{on1}}", c: "{{t}}", d: "v{{num}}", e: "{{num}} " }'),
      {
        a: 3,
        b: true,
        c: "x",
        d: "v3",
        e: "3 ",
      },
    );
    const template =
      '{ name: a, cluster: eu, path: "{{num}}", sync: { prune: "{{on1}}", retry: { limit: "{{num}}" } }, kustomize: { commonLabels: { v: "{{num}}" } } }';
    const [application] = applications(ofList("[{ num: 3, on1: false }]", template));
    assert.equal(application?.sync.prune, false);
    assert.equal(application?.sync.retry.limit, 3);
    assert.deepEqual(application?.sources[0], {
      kind: "git",
      repository,
      targetRevision: "main",
      path: "3",
      kustomize: {
        images: [],
        namePrefix: "",
        nameSuffix: "",
        namespace: "",
        commonLabels: { v: "3" },
        commonAnnotations: {},
        replicas: [],
        components: [],
        patches: [],
      },
    });
  });

  test("what looks like a placeholder in a value is no placeholder", () => {
    assert.deepEqual(valuesOf('[{ a1: "{{b1}}", b1: "{{a1}}" }]', '{ v: "{{a1}}-{{b1}}" }'), { v: "{{b1}}-{{a1}}" });
  });

  test("a value never becomes YAML: line breaks, colons and quotes stay in the text", () => {
    const odd = "x\ny: [z]\n\"'#&*{}$&$1";
    assert.deepEqual(valuesOf(`[{ v: ${JSON.stringify(odd)} }]`, '{ v: "<{{v}}>" }'), { v: `<${odd}>` });
  });

  test("whatever the value, it stands there letter by letter", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: fc.constantFrom("{", "}", '"', "a", " ", "$") }), (one, other) => {
        const [first, second] = [one, other].map((value) => JSON.stringify(value));
        assert.deepEqual(valuesOf(`[{ v: ${first}, w: ${second} }]`, '{ v: "{{v}}|{{w}}" }'), { v: `${one}|${other}` });
      }),
      { numRuns: 200 },
    );
  });

  test("two braces stand for themselves by their own placeholder, and closing ones need none", () => {
    assert.deepEqual(valuesOf("[{ v: x }]", `{ a: '{{ "{{" }} .Values.x }}', b: "{c: {d: {{v}}}}" }`), {
      a: "{{ .Values.x }}",
      b: "{c: {d: x}}",
    });
  });

  test("outside of templates braces mean nothing", () => {
    const [application] = applications(
      `${clusters}applications: [{ name: a, path: a, cluster: eu, helm: { values: { v: "{{ .Values.x }}" } } }]\n`,
    );
    assert.deepEqual(application?.sources[0]?.helm?.values, { v: "{{ .Values.x }}" });
  });

  test("aliases are followed inside templates, by their place in the text", () => {
    const text = `${clusters}applications:
  - { name: one, path: &p first, cluster: eu, helm: { values: &v { who: "{{who}}" } } }
applicationSets:
  - name: all
    generators: [{ list: { elements: [{ who: a }, { who: b }] } }]
    template: { name: "{{who}}", path: *p, cluster: eu, namespace: &n "ns-{{who}}", helm: { releaseName: *n, values: *v } }
  - name: more
    generators: [{ list: { elements: [{ who: c }] } }]
    template: { name: "{{who}}", path: &p second, cluster: eu, kustomize: { namePrefix: *p } }
`;
    const [one, a, b, c] = applications(text);
    assert.deepEqual(one?.sources[0]?.helm?.values, { who: "{{who}}" });
    const [first] = a?.sources ?? [];
    assert.ok(first?.kind === "git");
    assert.deepEqual([first.path, first.helm?.releaseName, first.helm?.values], ["first", "ns-a", { who: "a" }]);
    assert.equal(b?.sources[0]?.helm?.releaseName, "ns-b");
    const [last] = c?.sources ?? [];
    assert.ok(last?.kind === "git");
    assert.deepEqual([last.path, last.kustomize?.namePrefix], ["second", "second"]);
  });
});

suite("mistakes in generators and templates", () => {
  const plain = '{ name: "{{name}}", cluster: eu, path: a }';
  const mistakes: readonly (readonly [title: string, text: string, problems: readonly string[], folders?: readonly string[]])[] =
    [
      [
        "a placeholder that is a typing error, told once",
        ofList("[{ team: a }, { team: b }]", '{ name: "{{taem}}", cluster: eu, path: a }'),
        ["11:15 applicationSets[0].template.name: nothing gives {{taem}}: did you mean {{team}}? (for element 1)"],
      ],
      [
        "a placeholder that one element does not give",
        ofList("[{ team: a, at: eu }, { team: b }]", '{ name: "{{team}}", cluster: "{{at}}", path: a }'),
        ["11:36 applicationSets[0].template.cluster: nothing gives {{at}}: known are {{team}} (application b, for element 2)"],
      ],
      [
        "a label that a cluster has not",
        withSet(["- clusters: {}"], ['{ name: "{{name}}-{{metadata.labels.env}}", cluster: "{{name}}", path: a }']),
        ['11:15 applicationSets[0].template.name: nothing gives {{metadata.labels.env}}: known are {{name}} (for cluster "lab")'],
      ],
      [
        "a part of a path that is not there",
        withSet(["- git: { directories: [{ path: apps/* }] }"], ['{ name: "{{path[2]}}", cluster: eu, path: a }']),
        ['11:15 applicationSets[0].template.name: nothing gives {{path[2]}}: did you mean {{path[0]}}? (for folder "apps/web")'],
        ["apps/web"],
      ],
      [
        "a name of the language instead of a placeholder",
        ofList("[{ name: a }]", '{ name: "{{constructor}}", cluster: eu, path: a }'),
        ["11:15 applicationSets[0].template.name: nothing gives {{constructor}}: known are {{name}} (for element 1)"],
      ],
      [
        "braces that are no placeholder",
        ofList("[{ name: a }]", '{ name: "{{name", cluster: eu, path: "{{index .path 0}}" }'),
        [
          '11:15 applicationSets[0].template.name: has two braces that are no placeholder: write {{name}}, and {{ "{{" }} for the braces themselves: "{{name"',
          '11:44 applicationSets[0].template.path: has two braces that are no placeholder: write {{name}}, and {{ "{{" }} for the braces themselves: "{{index .path 0}}"',
        ],
      ],
      [
        "a placeholder without quotes",
        ofList("[{ name: a }]", "{ name: {{name}}, cluster: eu, path: a }"),
        ["11:15 applicationSets[0].template.name: must be text, and is a mapping: put a placeholder in quotes"],
      ],
      [
        "a placeholder as a key",
        ofList("[{ name: a }]", '{ name: a, cluster: eu, path: a, helm: { values: { "{{name}}": 1 } } }'),
        ["11:58 applicationSets[0].template.helm.values: placeholders stand in values, not in keys"],
      ],
      [
        "a template with a mistake of its own, told once",
        ofList("[{ name: a }, { name: b }]", '{ name: "{{name}}", cluster: eu, path: a, pth: b, drift: hael }'),
        [
          '11:49 applicationSets[0].template.pth: is not a key of this mapping: did you mean "path"?',
          '11:64 applicationSets[0].template.drift: must be heal or report or prevent or ignore, and is "hael": did you mean "heal"?',
        ],
      ],
      [
        "a value that makes something wrong of the template",
        ofList("[{ name: Web }, { name: b_c }, { name: ok }]", plain),
        [
          '11:15 applicationSets[0].template.name: must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit, and is "Web" (for element 1)',
          '11:15 applicationSets[0].template.name: must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit, and is "b_c" (for element 2)',
        ],
      ],
      [
        "a value that climbs",
        ofList("[{ name: a, dir: ../secrets }]", '{ name: "{{name}}", cluster: eu, path: "apps/{{dir}}" }'),
        [
          '11:46 applicationSets[0].template.path: must be a folder inside the repository: no leading slash, no .. part, no backslash; . is the root, and is "apps/../secrets" (application a, for element 1)',
        ],
      ],
      [
        "an empty value",
        ofList('[{ name: "" }]', plain),
        [
          '11:15 applicationSets[0].template.name: must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit, and is "" (for element 1)',
        ],
      ],
      [
        "a cluster that is not there",
        ofList("[{ at: eu }, { at: ue }]", '{ name: "web-{{at}}", cluster: "{{at}}", path: a }'),
        [
          '11:38 applicationSets[0].template.cluster: there is no cluster "ue": did you mean "eu"? (application web-ue, for element 2)',
        ],
      ],
      [
        "two applications of one name",
        ofList("[{ name: a, x: 1 }, { name: a, x: 2 }]", plain),
        [
          '11:15 applicationSets[0].template.name: "a" is the name of applicationSets[0].template for element 1 already: names are unique (application a, for element 2)',
        ],
      ],
      [
        "the name of a stated application",
        `${ofList("[{ name: a }]", plain)}applications: [{ name: a, path: a, cluster: eu }]\n`,
        [
          '11:15 applicationSets[0].template.name: "a" is the name of applications[0] already: names are unique (application a, for element 1)',
        ],
      ],
      [
        "a dependency that none has",
        ofList("[{ name: a }, { name: b }]", '{ name: "{{name}}", cluster: eu, path: a, dependsOn: ["x{{name}}"] }'),
        [
          '11:61 applicationSets[0].template.dependsOn[0]: there is no application "xa": did you mean "a"? (application a, for element 1)',
          '11:61 applicationSets[0].template.dependsOn[0]: there is no application "xb": did you mean "b"? (application b, for element 2)',
        ],
      ],
      [
        "a list without elements",
        ofList("[]", plain),
        [
          '9:9 applicationSets[0].generators[0]: gives no application: correct it, or write "allowEmpty: true" beside "generators"',
        ],
      ],
      [
        "a selector that chooses none",
        ofClusters("{ selector: { matchLabels: { env: prd } } }"),
        [
          '9:9 applicationSets[0].generators[0]: gives no application: correct it, or write "allowEmpty: true" beside "generators"',
        ],
      ],
      [
        "a glob that names no folder",
        ofFolders("[{ path: aps/* }]"),
        [
          '9:9 applicationSets[0].generators[0]: gives no application: correct it, or write "allowEmpty: true" beside "generators"',
        ],
        ["apps/web"],
      ],
      [
        "folders that nobody could read",
        ofFolders("[{ path: apps/* }]"),
        [`9:14 applicationSets[0].generators[0].git: the folders of ${repository} at main could not be read`],
      ],
      [
        "folders of which none is asked for",
        ofFolders("[{ path: apps/*, exclude: true }]"),
        [
          "9:29 applicationSets[0].generators[0].git.directories: leaves folders out and names none: add an entry without exclude",
        ],
        ["apps/web"],
      ],
      [
        "a folder with a name that could be taken for something else",
        ofFolders("[{ path: apps/* }]"),
        [
          '9:14 applicationSets[0].generators[0].git: the folder "apps/{{name}}" has a name that no placeholder takes over: rename it, or leave it out by "exclude: true"',
        ],
        ["apps/web", "apps/{{name}}"],
      ],
      [
        "a folder with a line break",
        ofFolders("[{ path: apps/* }]"),
        [
          '9:14 applicationSets[0].generators[0].git: the folder "apps/a\\nb: c" has a name that no placeholder takes over: rename it, or leave it out by "exclude: true"',
        ],
        ["apps/a\nb: c"],
      ],
      [
        "a folder in capitals",
        ofFolders("[{ path: apps/* }]"),
        [
          '11:15 applicationSets[0].template.name: must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit, and is "Web" (for folder "apps/Web")',
        ],
        ["apps/Web"],
      ],
      [
        "an operator without its values, and one with",
        ofClusters(
          "{ selector: { matchExpressions: [{ key: env, operator: In }, { key: env, operator: Exists, values: [a] }] } }",
        ),
        [
          '9:52 applicationSets[0].generators[0].clusters.selector.matchExpressions[0]: operator In needs "values"',
          '9:80 applicationSets[0].generators[0].clusters.selector.matchExpressions[1]: operator Exists has no use for "values": take them out',
        ],
      ],
      [
        "a matrix of three",
        withSet(["- matrix: { generators: [{ clusters: {} }, { list: { elements: [] } }, { clusters: {} }] }"], [plain]),
        ["9:31 applicationSets[0].generators[0].matrix.generators: must have exactly 2 entries, and has 3"],
      ],
      [
        "a matrix in a matrix",
        withSet(["- matrix: { generators: [{ clusters: {} }, { matrix: { generators: [] } }] }"], [plain]),
        [
          '9:50 applicationSets[0].generators[0].matrix.generators[1]: needs one of the keys "list" and "clusters" and "git"',
          "9:52 applicationSets[0].generators[0].matrix.generators[1].matrix: is not a key of this mapping: known keys are list, clusters, git",
        ],
      ],
      [
        "a placeholder that both generators of a matrix give",
        withSet(["- matrix: { generators: [{ clusters: {} }, { list: { elements: [{ name: a }] } }] }"], [plain]),
        [
          "9:17 applicationSets[0].generators[0].matrix: both of its generators give {{name}}: name it differently in one of them",
        ],
      ],
      [
        "two kinds of generator in one entry",
        withSet(["- { clusters: {}, list: { elements: [] } }"], [plain]),
        ['9:11 applicationSets[0].generators[0]: has "list" and "clusters": keep one of them'],
      ],
      ["no generator", withSet(["[]"], [plain]), ["9:7 applicationSets[0].generators: must not be empty"]],
      [
        "an element that is no placeholder",
        ofList('[{ name: a, "a b": c, n1: 1.5, n2: null, n3: [x] }]', plain),
        [
          '9:28 applicationSets[0].generators[0].list.elements[0]: "a b" is no name of a placeholder: write letters, digits, dots, dashes and underscores',
          "9:28 applicationSets[0].generators[0].list.elements[0]: n1 must be text, a whole number, true or false: put it in quotes",
          "9:28 applicationSets[0].generators[0].list.elements[0]: n2 must be text, a whole number, true or false: put it in quotes",
          "9:28 applicationSets[0].generators[0].list.elements[0]: n3 must be text, a whole number, true or false: put it in quotes",
        ],
      ],
      [
        "Argo CD's words",
        withSet(["- merge: {}"], [plain], "\n    goTemplate: true"),
        [
          "8:5 applicationSets[0].goTemplate: is not a key of this mapping: leave it out: {{name}} and {{ .name }} are the same",
          '10:9 applicationSets[0].generators[0].merge: is not a key of this mapping: write "matrix", or several entries: generators are list, clusters, git and matrix',
          '10:9 applicationSets[0].generators[0]: needs one of the keys "list" and "clusters" and "git" and "matrix"',
        ],
      ],
    ];
  for (const [title, text, expected, folders] of mistakes)
    test(`${title}: the mistake, with its place and what to do`, () => assert.deepEqual(problems(text, folders), expected));

  test("a project refuses generated applications as it does stated ones", () => {
    const text = `${ofClusters("{}").replace("path: a", "path: a, project: shop, namespace: shop")}projects:
  - { name: shop, sourceRepos: ["*"], destinations: [{ cluster: eu, namespace: shop }], identity: impersonate }
`;
    assert.deepEqual(problems(text), [
      '11:36 applicationSets[0].template.cluster: project shop does not allow the cluster us: add it to its destinations (application us, for cluster "us")',
      '11:36 applicationSets[0].template.cluster: project shop does not allow the cluster qa: add it to its destinations (application qa, for cluster "qa")',
      '11:36 applicationSets[0].template.cluster: project shop does not allow the cluster lab: add it to its destinations (application lab, for cluster "lab")',
    ]);
  });

  test("what one file may give has bounds, which cost little to reach", () => {
    const elements = (count: number, key: string): string =>
      `[${Array.from({ length: count }, (_, index) => `{ ${key}: a${index} }`).join(",")}]`;
    assert.deepEqual(problems(ofList(elements(5002, "m"), '{ name: "{{m}}", cluster: eu, path: a }')), [
      "7:5 applicationSets[0]: gives 5002 applications: one file has at most 5000",
    ]);
    const matrix = `- matrix: { generators: [{ list: { elements: ${elements(2000, "m")} } }, { list: { elements: ${elements(1999, "k")} } }] }`;
    assert.deepEqual(problems(withSet([matrix], ['{ name: "{{m}}", cluster: eu, path: a }'])), [
      "9:17 applicationSets[0].generators[0].matrix: gives 2000 times 1999 applications: one file has at most 5000",
    ]);
    const large = `[${Array.from({ length: 1000 }, (_, index) => `{ m: a${index}, big: ${"z".repeat(500)} }`).join(",")}]`;
    const template = `{ name: "{{m}}", cluster: eu, path: a, helm: { values: { v: "${"{{big}}".repeat(500)}" } } }`;
    const [problem = "", ...more] = problems(ofList(large, template));
    assert.match(problem, /is where this file becomes too large, with aliases and templates filled in: divide it/);
    assert.deepEqual(more, []);
  });
});

suite("what generators ask for", () => {
  const wanted = (text: string) => directoriesWanted({ text, file: "driftless.yaml", repository });

  test("each request once, of generators in a matrix too", () => {
    const text = withSet(
      [
        "- git: { directories: [{ path: apps/* }, { path: apps/old, exclude: true }] }",
        "- git: { directories: [{ path: apps/* }, { path: apps/old, exclude: true }] }",
        "- matrix: { generators: [{ clusters: {} }, { git: { repository: https://github.com/acme/x, targetRevision: next, directories: [{ path: a }] } }] }",
      ],
      ["{ name: a, cluster: eu, path: a }"],
    );
    assert.deepEqual(wanted(text), [
      { repository, targetRevision: "main", include: ["apps/*"], exclude: ["apps/old"] },
      { repository: "https://github.com/acme/x", targetRevision: "next", include: ["a"], exclude: [] },
    ]);
  });

  test("one file asks for no more than a hundred lists of folders", () => {
    const asking = (count: number): string =>
      withSet(
        Array.from({ length: count }, (_, index) => `- git: { directories: [{ path: apps/${index} }] }`),
        ['{ name: "{{path.basename}}", cluster: eu, path: "{{path}}" }'],
        "\n    allowEmpty: true",
      );
    assert.equal(wanted(asking(100)).length, 100);
    assert.deepEqual(wanted(asking(101)), []);
    const check = checkConfiguration({ ...file(asking(101)), skipsUnanswered: true });
    assert.ok(!check.valid);
    assert.deepEqual(
      check.problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
      ["7:3 ask for 101 lists of folders: one file may ask for 100"],
    );
  });

  test("a file that cannot be read asks for nothing, one with mistakes elsewhere still asks", () => {
    assert.deepEqual(wanted("a: [b"), []);
    assert.deepEqual(wanted(""), []);
    assert.deepEqual(wanted("applicationSets: 3\n"), []);
    assert.deepEqual(wanted("applicationSets: [{ generators: [{ git: { directories: [{ path: 3 }] } }, 4, ~] }, 5]\n"), []);
    assert.equal(wanted("applicationSets: [{ generators: [{ git: { directories: [{ path: a }] } }] }]\nnonsense: 1\n").length, 1);
  });

  test("two requests have one key exactly when they ask for the same", () => {
    const request = fc.record({
      repository: fc.constantFrom("a", "b"),
      targetRevision: fc.constantFrom("a", "b"),
      include: fc.array(fc.constantFrom("a", "b", "a,b")),
      exclude: fc.array(fc.constantFrom("a", "b")),
    });
    fc.assert(
      fc.property(request, request, (one, other) => {
        assert.equal(directoriesKey(one) === directoriesKey(other), JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  test("neither the root nor a hidden folder is ever asked for", () => {
    const all = { repository, targetRevision: "main", include: ["**"], exclude: [] };
    assert.equal(wantsDirectory(all, ""), false);
    assert.equal(wantsDirectory(all, ".github"), false);
    assert.equal(wantsDirectory(all, "a/.git/b"), false);
    assert.equal(wantsDirectory(all, "a/../b"), false);
    assert.equal(wantsDirectory(all, "a/b"), true);
  });
});
