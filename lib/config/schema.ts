import { generators } from "./generator-schema.ts";
import type { JsonSchema, ListSchema, ObjectSchema } from "./json-schema.ts";
import { dnsLabel, externalId, roleArn } from "./names.ts";
import {
  additions,
  dependsOn,
  drift,
  healthCheckExprs,
  ignoreDifferences,
  rollback,
  suspend,
  sync,
  syncWindowsOf,
} from "./policy-schema.ts";
import { prevent } from "./prevention-schema.ts";
import { project } from "./project-schema.ts";
import { published } from "./published-schema.ts";
import { chart, directory, helm, kustomize, path, repository, source, targetRevision } from "./source-schema.ts";

const cluster = {
  type: "object",
  description: "A cluster that applications are synced to. Nothing here opens it: rights come from IAM or from the kubeconfig.",
  additionalProperties: false,
  required: ["name"],
  oneOf: [{ required: ["context"] }, { required: ["eks"] }],
  properties: {
    name: { ...dnsLabel, description: "What applications call the cluster." },
    labels: {
      type: "object",
      description: "By which generators choose clusters.",
      additionalProperties: {
        type: "string",
        description: "A value of a label.",
        maxLength: 63,
        pattern: "^(?:[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?)?$",
        patternErrorMessage: "a value of a label: letters, digits, dashes, dots and underscores",
      },
      default: {},
    },
    context: { type: "string", description: "Context of the kubeconfig that KUBECONFIG names.", minLength: 1, maxLength: 253 },
    eks: {
      type: "object",
      description: "A cluster of Amazon EKS.",
      additionalProperties: false,
      required: ["name", "region"],
      properties: {
        name: {
          type: "string",
          description: "Name of the EKS cluster.",
          maxLength: 100,
          pattern: "^[0-9A-Za-z][0-9A-Za-z_-]*$",
          patternErrorMessage: "an EKS cluster name: letters, digits, dashes and underscores, beginning with a letter or digit",
        },
        region: {
          type: "string",
          description: "AWS region of the cluster.",
          pattern: "^[a-z]{2,4}(?:-[a-z]+)+-[0-9]+$",
          patternErrorMessage: "an AWS region such as eu-central-1",
          examples: ["eu-central-1", "us-east-1"],
        },
        role: { ...roleArn, description: "IAM role that opens the cluster. Default: the function's own." },
        externalId,
      },
    },
    prevent,
  },
} as const satisfies ObjectSchema;

const application = {
  type: "object",
  description: "Where objects come from, the cluster they are synced to, and how.",
  additionalProperties: false,
  required: ["name", "cluster"],
  oneOf: [{ required: ["path"] }, { required: ["chart"] }, { required: ["sources"] }],
  properties: {
    name: { ...dnsLabel, description: "Unique name of the application." },
    project: {
      type: "string",
      description: "Name of an entry of projects. Where there are none, there is nothing to name but default.",
      minLength: 1,
    },
    repository,
    targetRevision,
    path,
    chart,
    directory,
    kustomize,
    helm,
    sources: {
      type: "array",
      description: "Several places whose objects are put together, in place of path or chart.",
      items: source,
      minItems: 1,
    },
    cluster: { type: "string", description: "Name of an entry of clusters.", minLength: 1 },
    namespace: { ...dnsLabel, description: "Namespace for objects that name none." },
    sync,
    drift,
    additions,
    ignoreDifferences,
    dependsOn,
    rollback,
    syncWindows: syncWindowsOf("When syncs of the application may start, further to the windows of all. Default: at any time."),
    suspend,
  },
} as const satisfies ObjectSchema;

/** The shape of `applications`. */
export type ApplicationSchema = typeof application;
/** As which a template is checked once its placeholders are filled in. */
export const applicationSchema: ApplicationSchema = application;

const applications = {
  type: "array",
  description: "What is synced. An application that leaves this list is removed.",
  items: application,
  default: [],
} as const satisfies ListSchema;

const applicationSets = {
  type: "array",
  description: "Applications that are made from a template.",
  items: {
    type: "object",
    description: "A template, and what it is filled with.",
    additionalProperties: false,
    required: ["name", "generators", "template"],
    properties: {
      name: { ...dnsLabel, description: "Unique name, for errors." },
      allowEmpty: {
        type: "boolean",
        description: "Accept a generator that gives nothing, which is an error otherwise.",
        default: false,
      },
      generators,
      template: {
        ...application,
        description: "An application, in whose texts {{name}} stands for a value of the generator.",
        placeholders: true,
      },
    },
  },
  default: [],
} as const satisfies ListSchema;

const oneOfBoth = [{ required: ["applications"] }, { required: ["applicationSets"] }] as const;

/** What a file of a team may hold. */
export const applicationFileSchema = {
  type: "object",
  description: "Applications of one project.",
  additionalProperties: false,
  required: [],
  anyOf: oneOfBoth,
  properties: { applications, applicationSets },
} as const satisfies ObjectSchema;

/** The one statement of what `driftless.yaml` may hold: the validator reads it, and it is published for editors. */
export const configurationSchema = {
  type: "object",
  description: "Clusters and applications of one installation of Driftless.",
  additionalProperties: false,
  required: ["clusters"],
  anyOf: oneOfBoth,
  properties: {
    clusters: { type: "array", description: "Where applications may be synced to.", items: cluster },
    applications,
    applicationSets,
    projects: {
      type: "array",
      description: "What applications may use, by team. As soon as there is one, every application has to name one.",
      items: project,
      default: [],
    },
    syncWindows: syncWindowsOf("When syncs of any application may start. Default: at any time."),
    healthCheckExprs,
    remoteBases: {
      type: "array",
      description:
        "Beginnings of the URLs from which kustomizations may take bases of other repositories, each pinned by ?ref= and a full commit id. Default: none.",
      items: {
        type: "string",
        description: "Beginning of a URL, up to a slash.",
        maxLength: 2048,
        pattern: "^https?://[^\\s\\u0040?#/]+/(?:[^\\s?#]*/)?$",
        patternErrorMessage: "the beginning of a URL that ends in a slash, such as https://github.com/acme/",
        examples: ["https://github.com/acme/"],
      },
      default: [],
    },
    repositories: {
      type: "array",
      description: "Repositories of GitHub whose identity is stated here, not learnt at first use.",
      items: {
        type: "object",
        description: "One repository.",
        additionalProperties: false,
        required: ["url", "id"],
        properties: {
          url: { ...repository, description: "Clone URL." },
          id: { type: "integer", description: "GitHub's number of the repository.", minimum: 1, maximum: 9_007_199_254_740_991 },
        },
      },
      default: [],
    },
  },
} as const satisfies JsonSchema;

/** The text of `driftless.schema.json`, for platform files and for application files. */
export function publishedSchema(): string {
  const { required, anyOf, ...document } = configurationSchema;
  const ofTeam = { propertyNames: { enum: Object.keys(applicationFileSchema.properties) } };
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "driftless.yaml",
    ...published(document),
    allOf: [{ anyOf: [{ required }, ofTeam] }, { anyOf }],
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
