import type { ListSchema, MapSchema, ObjectSchema, StringSchema } from "./json-schema.ts";

const text = { type: "string", description: "Text.", minLength: 1, maxLength: 1024 } as const satisfies StringSchema;
const texts = {
  type: "object",
  additionalProperties: { type: "string", description: "Text.", maxLength: 65_536 },
  default: {},
} as const;

/** A list of texts that is empty by default. */
const listOf = <const Description extends string>(description: Description) =>
  ({ type: "array", description, items: text, default: [] }) as const satisfies ListSchema;

export const repository = {
  type: "string",
  description: "Clone URL or path of the repository. Default: the repository that holds this file.",
  minLength: 1,
  maxLength: 2048,
  pattern: "^[^\\s\\u0000-\\u001f\\u007f]+$",
  patternErrorMessage: "a clone URL or a path, without white space",
} as const satisfies StringSchema;

export const targetRevision = {
  type: "string",
  description: "Branch that is followed.",
  maxLength: 244,
  pattern:
    "^(?!HEAD$|[0-9a-f]{40}$|[0-9a-f]{64}$|refs/|[/-]|.*(?:\\.\\.|//|@\\{|/\\.|\\.lock(?:/|$)))(?!@$|\\.)[^\\u0000-\\u0020\\u007f~^:?*\\[\\\\]*[^\\u0000-\\u0020\\u007f~^:?*\\[\\\\/.]$",
  patternErrorMessage: "the name of a branch (not a commit id, not HEAD, not refs/heads/...)",
  default: "main",
} as const satisfies StringSchema;

export const path = {
  type: "string",
  description: "Folder in the repository; . is its root.",
  minLength: 1,
  maxLength: 1024,
  pattern: "^(?![/~]|[A-Za-z]:)(?!(?:.*/)?\\.\\.(?:/|$))(?!.*//)[^\\\\\\u0000-\\u001f\\u007f]+$",
  patternErrorMessage: "a folder inside the repository: no leading slash, no .. part, no backslash; . is the root",
} as const satisfies StringSchema;

export const chart = {
  type: "object",
  description: "A chart of a chart repository, pinned by version and digest.",
  additionalProperties: false,
  required: ["repository", "name", "version", "digest"],
  properties: {
    repository: {
      type: "string",
      description: "Where the chart is kept: https://HOST/PATH with an index.yaml, or oci://HOST/PATH.",
      maxLength: 2048,
      pattern: "^(?:https?|oci)://[^\\s\\u0040?#\\u0000-\\u001f\\u007f]+$",
      patternErrorMessage: "https://HOST/PATH or oci://HOST/PATH, without credentials",
      examples: ["https://charts.example.com/stable", "oci://registry.example.com/charts"],
    },
    name: {
      type: "string",
      description: "Name of the chart.",
      maxLength: 250,
      pattern: "^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$",
      patternErrorMessage: "the name of a chart",
    },
    version: {
      type: "string",
      description: "Exact version; no range.",
      maxLength: 250,
      pattern: "^v?[0-9]+(?:\\.[0-9]+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\\+[0-9A-Za-z.-]+)?$",
      patternErrorMessage: "one exact version such as 6.5.0, no range",
      examples: ["6.5.0"],
    },
    digest: {
      type: "string",
      description: "Digest of the archive (https) or of the manifest (oci), so that the version can never become another chart.",
      pattern: "^sha256:[0-9a-f]{64}$",
      patternErrorMessage: "sha256: and 64 hex digits",
      examples: ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    },
  },
} as const satisfies ObjectSchema;

export const directory = {
  type: "object",
  description: "How a plain folder is read.",
  additionalProperties: false,
  required: [],
  properties: {
    recurse: { type: "boolean", description: "Take the folders below as well.", default: false },
    include: listOf("Globs over paths below the folder: only files that match one are read. Default: every manifest."),
    exclude: listOf("Globs over paths below the folder: files that match one are left out."),
  },
} as const satisfies ObjectSchema;

const patch = {
  type: "object",
  description: "A patch, and what it is for.",
  additionalProperties: false,
  required: ["patch"],
  properties: {
    patch: {
      type: "string",
      description: "A strategic merge patch or a JSON patch, as YAML text.",
      minLength: 1,
      maxLength: 65_536,
    },
    target: {
      description: "Which objects: group, version, kind, name, namespace, labelSelector, annotationSelector.",
      ...texts,
      default: {},
    },
  },
} as const satisfies ObjectSchema;

const replicas = {
  type: "object",
  description: "Replicas of the objects with a name.",
  additionalProperties: false,
  required: ["name", "count"],
  properties: {
    name: text,
    count: { type: "integer", description: "How many.", minimum: 0, maximum: 2_147_483_647 },
  },
} as const satisfies ObjectSchema;

export const kustomize = {
  type: "object",
  description: "What is laid over the kustomization in the folder.",
  additionalProperties: false,
  required: [],
  properties: {
    images: listOf("Images, as `kustomize edit set image` takes them: NAME=NEW:TAG, NAME:TAG or NAME@DIGEST."),
    namePrefix: { type: "string", description: "Put before every name.", maxLength: 253, default: "" },
    nameSuffix: { type: "string", description: "Put after every name.", maxLength: 253, default: "" },
    namespace: { type: "string", description: "Namespace of every object, whatever it states.", maxLength: 63, default: "" },
    commonLabels: { ...texts, description: "Labels of every object, selectors included." } satisfies MapSchema,
    commonAnnotations: { ...texts, description: "Annotations of every object." } satisfies MapSchema,
    replicas: { type: "array", description: "Numbers of replicas.", items: replicas, default: [] },
    components: listOf("Folders of components, from the application's own folder."),
    patches: { type: "array", description: "Patches.", items: patch, default: [] },
  },
} as const satisfies ObjectSchema;

const parameter = {
  type: "object",
  description: "One value, as `--set` takes it.",
  additionalProperties: false,
  required: ["name", "value"],
  properties: {
    name: { type: "string", description: "Path of the value, such as image.tag.", minLength: 1, maxLength: 1024 },
    value: { type: "string", description: "The value, as text.", maxLength: 65_536 },
    forceString: { type: "boolean", description: "Text whatever it looks like, as `--set-string`.", default: false },
  },
} as const satisfies ObjectSchema;

export const helm = {
  type: "object",
  description: "How a chart is rendered.",
  additionalProperties: false,
  required: [],
  properties: {
    releaseName: {
      type: "string",
      description: "Name of the release. Default: the application's name.",
      maxLength: 53,
      pattern: "^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)?$",
      patternErrorMessage: "a name of Helm: lower-case letters, digits, dashes and dots, at most 53 characters",
      default: "",
    },
    valueFiles: listOf("Files of values, from the chart's folder, or $REF/PATH of another source; a later one wins."),
    ignoreMissingValueFiles: { type: "boolean", description: "Pass over value files that are not there.", default: false },
    values: { type: "object", description: "Values, over those of the files.", additionalProperties: true, default: {} },
    parameters: { type: "array", description: "Single values, over all others.", items: parameter, default: [] },
    kubeVersion: {
      type: "string",
      description: "Version of Kubernetes that the chart is told. Default: the cluster's.",
      maxLength: 64,
      pattern: "^(?:v?[0-9]+\\.[0-9]+(?:\\.[0-9]+)?(?:[-+].*)?)?$",
      patternErrorMessage: "a version such as v1.35.4",
      default: "",
      examples: ["v1.35.4"],
    },
    apiVersions: listOf("API versions that the chart is told, further to the cluster's: GROUP/VERSION or GROUP/VERSION/KIND."),
    skipCrds: { type: "boolean", description: "Leave out the chart's crds folder.", default: false },
  },
} as const satisfies ObjectSchema;

export const source = {
  type: "object",
  description: "One place that objects or value files come from: a folder of a repository, or a chart.",
  additionalProperties: false,
  required: [],
  properties: {
    repository,
    targetRevision,
    path,
    ref: {
      type: "string",
      description: "By $NAME/PATH other sources name value files of this repository.",
      maxLength: 63,
      pattern: "^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$",
      patternErrorMessage: "a word of letters, digits, dashes and underscores",
    },
    chart,
    directory,
    kustomize,
    helm,
  },
} as const satisfies ObjectSchema;
