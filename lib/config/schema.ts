import type { JsonSchema, ObjectSchema } from "./json-schema.ts";
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
import { chart, directory, helm, kustomize, path, repository, source, targetRevision } from "./source-schema.ts";

const dnsLabel = "^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$";
const dnsLabelMessage = "a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit";

const cluster = {
  type: "object",
  description: "A cluster that applications are synced to. Nothing here opens it: rights come from IAM or from the kubeconfig.",
  additionalProperties: false,
  required: ["name"],
  oneOf: [{ required: ["context"] }, { required: ["eks"] }],
  properties: {
    name: {
      type: "string",
      description: "What applications call the cluster.",
      maxLength: 63,
      pattern: dnsLabel,
      patternErrorMessage: dnsLabelMessage,
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
    name: {
      type: "string",
      description: "Unique name of the application.",
      maxLength: 63,
      pattern: dnsLabel,
      patternErrorMessage: dnsLabelMessage,
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
    namespace: {
      type: "string",
      description: "Namespace for objects that name none.",
      maxLength: 63,
      pattern: dnsLabel,
      patternErrorMessage: dnsLabelMessage,
    },
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

/** The one statement of what `driftless.yaml` may hold: the validator reads it, and it is published for editors. */
export const configurationSchema = {
  type: "object",
  description: "Clusters and applications of one installation of Driftless.",
  additionalProperties: false,
  required: ["clusters", "applications"],
  properties: {
    clusters: { type: "array", description: "Where applications may be synced to.", items: cluster },
    applications: {
      type: "array",
      description: "What is synced. An application that leaves this list is removed.",
      items: application,
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
        pattern: "^https?://[^\\s@?#/]+/(?:[^\\s?#]*/)?$",
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

/** The text of `driftless.schema.json`. */
export function publishedSchema(): string {
  const schema = { $schema: "http://json-schema.org/draft-07/schema#", title: "driftless.yaml", ...configurationSchema };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
