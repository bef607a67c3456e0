/** Charts, written for the tests of one part of Helm each; paths are from the chart's folder. */
export interface Chart {
  readonly [path: string]: string;
}

export const chartYaml = (name: string, more = ""): string =>
  `apiVersion: v2\nname: ${name}\nversion: 1.2.3\nappVersion: "4.5"\n${more}`;

/** A ConfigMap of one template, its data given as lines of `KEY: VALUE`. */
export const configTemplate = (name: string, data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${data.replace(/^/gm, "  ")}\n`;

/** Files of a chart, moved below a folder. */
export const below = (folder: string, chart: Chart): Chart =>
  Object.fromEntries(Object.entries(chart).map(([path, text]) => [`${folder}/${path}`, text]));

/** Include, tpl, loops, conditions, NOTES: what most charts are made of. */
export const web: Chart = {
  "Chart.yaml": chartYaml("web"),
  "values.yaml": [
    "replicas: 2",
    "image: {repository: registry.example/web, tag: ''}",
    "greeting: 'Hello from {{ .Release.Name }}'",
    "env: {LEVEL: info, MODE: fast, EMPTY: ''}",
    "ports: [80, 8443]",
    "ingress: {enabled: false, hosts: []}",
    "resources: {limits: {cpu: 100m, memory: 1Gi}}",
    "",
  ].join("\n"),
  "templates/_helpers.tpl": [
    '{{- define "web.name" -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{- end -}}',
    '{{- define "web.labels" }}',
    'app.kubernetes.io/name: {{ include "web.name" . }}',
    "app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}",
    'helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}',
    "{{- end }}",
  ].join("\n"),
  "templates/NOTES.txt": "Thank you: {{ .Release.Name }}\n",
  "templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.name" . }}
  namespace: {{ .Release.Namespace }}
  labels: {{- include "web.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ include "web.name" . }}}}
  template:
    metadata: {labels: {app: {{ include "web.name" . }}}}
    spec:
      containers:
      - name: web
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        env:
        {{- range $name, $value := .Values.env }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
        ports:
        {{- range .Values.ports }}
        - containerPort: {{ . }}
        {{- end }}
        resources: {{- toYaml .Values.resources | nindent 10 }}
        args: [{{ tpl .Values.greeting . | quote }}]
`,
  "templates/several.yaml": `{{- if .Values.ingress.enabled }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: {{ include "web.name" . }}}
spec:
  rules:
  {{- range .Values.ingress.hosts }}
  - host: {{ . | quote }}
  {{- end }}
{{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ include "web.name" . }}}
spec: {ports: [{port: {{ first .Values.ports }}}]}
---
# nothing but a comment
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "web.name" . }}
  annotations: {revision: "{{ .Release.Revision }}", upgrade: "{{ .Release.IsUpgrade }}", install: "{{ .Release.IsInstall }}", by: {{ .Release.Service }}, template: {{ .Template.Name }}, base: {{ .Template.BasePath }}}
`,
};

const tell = configTemplate(
  '{{ .Release.Name }}{{ .Template.BasePath | replace "/charts/" "." | trimSuffix "/templates" | printf "-%s" }}',
  "values: {{ .Values | toJson | quote }}\nroot: {{ .Chart.IsRoot | quote }}",
);

/** A subchart that prints its values. */
export const told = (name: string, values: string, more = ""): Chart => ({
  "Chart.yaml": chartYaml(name, more),
  "values.yaml": values,
  "templates/tell.yaml": tell,
  "templates/NOTES.txt": "not an object",
});

/** Subcharts by condition, tag and alias, with globals and imported values; a library; a subchart in a subchart. */
export const family: Chart = {
  ...told(
    "family",
    [
      "global: {region: here}",
      "tags: {metrics: false}",
      "cache: {enabled: true, size: 3}",
      "second: {size: 9}",
      "queue: {enabled: false}",
      "inherited: parent",
      "",
    ].join("\n"),
    `dependencies:
- {name: cache, version: ">=1.0.0", condition: cache.enabled, import-values: [shared, {child: deep.inner, parent: imported}]}
- {name: cache, version: 1.2.3, alias: second}
- {name: queue, version: 1.2.3, condition: queue.enabled}
- {name: metrics, version: 1.2.3, tags: [metrics]}
- {name: words, version: 1.2.3}
`,
  ),
  ...below("charts/cache", {
    ...told("cache", "size: 1\nexports: {shared: {fromCache: yes, inherited: child}}\ndeep: {inner: {a: 1, b: [x]}}\n"),
    "README.md": "about the cache",
    ...below("charts/disk", told("disk", "path: /data\n")),
  }),
  ...below("charts/queue", told("queue", "")),
  ...below("charts/metrics", told("metrics", "")),
  ...below("charts/extra", told("extra", "undeclared: true\n")),
  ...below("charts/words", {
    "Chart.yaml": chartYaml("words", "type: library\n"),
    "templates/_words.tpl": '{{- define "words.greet" -}}Good day, {{ . }}{{- end -}}',
    "templates/never.yaml": "this: is not rendered",
  }),
  "charts/_off/Chart.yaml": "not read",
  "templates/greet.yaml": configTemplate(
    "greet",
    'words: {{ include "words.greet" "world" }}\nsubs: {{ keys .Subcharts | sortAlpha | join "," }}',
  ),
};

/** Hooks of every kind, with weights; a test; one that Helm does not know. */
export const hooks: Chart = {
  "Chart.yaml": chartYaml("hooks"),
  "templates/jobs.yaml": [
    "pre-install:5",
    "pre-install,pre-upgrade:-1",
    "post-delete:0",
    "test:0",
    "test-success:1",
    "post-install,test:0",
  ]
    .map((hook, index) => {
      const [events, weight] = hook.split(":");
      return `apiVersion: batch/v1
kind: Job
metadata:
  name: job-${index}
  annotations: {helm.sh/hook: "${events}", helm.sh/hook-weight: "${weight}", helm.sh/hook-delete-policy: before-hook-creation}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}
`;
    })
    .join("---\n"),
  "templates/first.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: aaa, annotations: {helm.sh/hook: pre-install}}
`,
  "templates/unknown.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: unknown, annotations: {helm.sh/hook: crd-install}}
`,
  "templates/kinds.yaml": ["Service", "Namespace", "Deployment", "CustomThing", "Role", "Secret", "ConfigMap"]
    .map((kind) => `apiVersion: ${kind === "CustomThing" ? "example.com/v1" : "v1"}\nkind: ${kind}\nmetadata: {name: kept}\n`)
    .join("---\n"),
};

const crd = (name: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${name}s.example.com, annotations: {note: "{{ not a template }}"}}
spec: {group: example.com, names: {kind: ${name}, plural: ${name}s}, scope: Namespaced, versions: []}
`;

/** CRDs of its own and of two subcharts, whose order Helm leaves to chance. */
export const definitions: Chart = {
  "Chart.yaml": chartYaml("definitions"),
  "crds/b.yaml": `${crd("bee")}---\n${crd("wasp")}`,
  "crds/a/ant.yml": crd("ant"),
  "crds/readme.txt": "not a CRD",
  "templates/thing.yaml": "apiVersion: example.com/v1\nkind: ant\nmetadata: {name: one}\n",
  ...below("charts/sub", {
    "Chart.yaml": chartYaml("sub"),
    "crds/x.json": JSON.stringify({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "xs.example.com" },
    }),
  }),
};

/** Files, globs, and what .helmignore takes away. */
export const files: Chart = {
  "Chart.yaml": chartYaml("files"),
  ".helmignore": "# not these\n*.bak\nignored/\n/top.txt\nconfig/secret.*\n",
  "config/a.ini": "[a]\nkey = 1\n",
  "config/b.ini": "[b]\nkey = {{ literal }}",
  "config/secret.ini": "hidden",
  "config/deep/c.ini": "deep\n",
  "old.bak": "old",
  "top.txt": "top",
  "sub/top.txt": "kept",
  "ignored/a.txt": "no",
  "ignored/more/a.txt": "no",
  "bom.txt": "\ufeffwith a mark",
  "templates/.hidden.yaml": "not: rendered",
  "templates/files.yaml": configTemplate(
    "files",
    [
      '{{- (.Files.Glob "config/*.ini").AsConfig | nindent 2 }}',
      'deep: {{ (.Files.Glob "config/**").AsSecrets | quote }}',
      'lines: {{ .Files.Lines "config/a.ini" | join "|" | quote }}',
      "all: {{ range $path, $_ := .Files }}{{ $path }} {{ end }}",
      'absent: {{ list (.Files.Get "no") (.Files.Get "ignored/a.txt") (.Files.Get "templates/files.yaml") | toJson | quote }}',
      'marked: {{ .Files.Get "bom.txt" | b64enc }}',
    ].join("\n"),
  ),
};

/** What a chart can ask about the cluster. */
export const cluster: Chart = {
  "Chart.yaml": chartYaml("cluster", 'kubeVersion: ">=1.20.0-0"\n'),
  "templates/told.yaml": configTemplate(
    "told",
    [
      "version: {{ .Capabilities.KubeVersion.Version }}",
      "text: {{ .Capabilities.KubeVersion | quote }}",
      "git: {{ .Capabilities.KubeVersion.GitVersion }}",
      "minor: {{ .Capabilities.KubeVersion.Minor | quote }}",
      "helm: {{ .Capabilities.HelmVersion.Version }}",
      'newer: {{ semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version | quote }}',
      'apps: {{ .Capabilities.APIVersions.Has "apps/v1" | quote }}',
      'policy: {{ .Capabilities.APIVersions.Has "policy/v1beta1" | quote }}',
      'kind: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}',
      'monitoring: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}',
      'all: {{ .Capabilities.APIVersions | join "," | quote }}',
      'live: {{ lookup "v1" "Secret" "default" "x" | toJson | quote }}',
      'host: {{ getHostByName "localhost" | quote }}',
    ].join("\n"),
  ),
};

/** Prints its values in every way in which a number can show what it is. */
export const printer: Chart = {
  "Chart.yaml": chartYaml("printer"),
  "values.yaml": "removed: 1\nkept: {a: 1, b: 2}\nlist: []\n",
  "templates/print.yaml": configTemplate(
    "printed",
    `all: {{ .Values | toJson | quote }}
yaml: |- {{- toYaml .Values | nindent 4 }}
{{- range $index, $value := .Values.list }}
{{ $index }}-is: {{ kindOf $value }}
{{ $index }}-text: {{ $value | quote }}
{{ $index }}-json: {{ $value | toJson | quote }}
{{ $index }}-int: {{ $value | int64 | quote }}
{{ $index }}-string: {{ toString $value | quote }}
{{- end }}`,
  ),
  "templates/raw.yaml": `apiVersion: v1
kind: Raw
metadata: {name: raw}
spec:
  values: {{- toYaml .Values | nindent 4 }}
`,
};

/** An old chart, whose dependencies stand in a file of their own. */
export const old: Chart = {
  "Chart.yaml": "name: old\nversion: 0.1.0\n",
  "requirements.yaml": "dependencies:\n- {name: cache, version: 1.2.3, condition: cache.enabled}\n",
  "requirements.lock":
    "dependencies:\n- {name: cache, version: 1.2.3, repository: ''}\ndigest: sha256:0\ngenerated: 2020-01-01T00:00:00Z\n",
  "values.yaml": "cache: {enabled: true}\n",
  "templates/tell.yaml": tell,
  ...below("charts/cache", told("cache", "size: 1\n")),
};
