/** Small applications as people have them: four objects each, of a chart or of an overlay over a base of its own. */
export interface Sample {
  readonly [path: string]: string;
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `app-${index}`);

/** `app-N/...`: a chart each, with helpers, a loop and conditions. */
export function sampleCharts(count: number): Sample {
  return Object.assign({}, ...names(count).map((name) => chart(name)));
}

/** `app-N/overlays/prod/...`: an overlay each, with a patch, an image and a generated ConfigMap, over `app-N/base`. */
export function sampleOverlays(count: number): Sample {
  return Object.assign({}, ...names(count).map((name) => overlay(name)));
}

function chart(name: string): Sample {
  return {
    [`${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 1.0.0\nappVersion: "2.0"\n`,
    [`${name}/values.yaml`]: `replicas: 2
image: {repository: registry.example/${name}, tag: ""}
service: {port: 80}
ingress: {enabled: true, host: ${name}.example}
env: {LEVEL: info, MODE: fast}
resources: {requests: {cpu: 50m, memory: 64Mi}}
`,
    [`${name}/templates/_helpers.tpl`]: `{{- define "name" -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- define "labels" }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
`,
    [`${name}/templates/deployment.yaml`]: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "name" . }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {{- include "labels" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "labels" . | nindent 8 }}
    spec:
      serviceAccountName: {{ include "name" . }}
      containers:
      - name: web
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        env:
        {{- range $key, $value := .Values.env }}
        - name: {{ $key }}
          value: {{ $value | quote }}
        {{- end }}
        resources: {{- toYaml .Values.resources | nindent 10 }}
`,
    [`${name}/templates/service.yaml`]: `apiVersion: v1
kind: Service
metadata:
  name: {{ include "name" . }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  ports:
  - port: {{ .Values.service.port }}
  selector: {{- include "labels" . | nindent 4 }}
`,
    [`${name}/templates/account.yaml`]: `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ include "name" . }}\n`,
    [`${name}/templates/ingress.yaml`]: `{{- if .Values.ingress.enabled }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "name" . }}
spec:
  rules:
  - host: {{ .Values.ingress.host }}
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: {{ include "name" . }}, port: {number: {{ .Values.service.port }}}}}}]}
{{- end }}
`,
  };
}

function overlay(name: string): Sample {
  return {
    [`${name}/base/kustomization.yaml`]: "resources: [deployment.yaml, service.yaml, account.yaml]\n",
    [`${name}/base/deployment.yaml`]: `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: web, image: registry.example/${name}, envFrom: [{configMapRef: {name: settings}}]}]
`,
    [`${name}/base/service.yaml`]: `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}], selector: {app: ${name}}}\n`,
    [`${name}/base/account.yaml`]: `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ${name}}\n`,
    [`${name}/overlays/prod/kustomization.yaml`]: `resources: [../../base]
namespace: prod
images: [{name: registry.example/${name}, newTag: "2.0"}]
configMapGenerator: [{name: settings, literals: [LEVEL=info, MODE=fast]}]
patches: [{path: replicas.yaml}]
`,
    [`${name}/overlays/prod/replicas.yaml`]: `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec: {replicas: 3}\n`,
  };
}
