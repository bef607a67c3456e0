import type { Application } from "../model/application.ts";
import { breakGlassKey, type PreventionSettings, preventionPrefix } from "../model/prevention.ts";
import { applicationLabel, type Manifest } from "../model/resource.ts";
import { anAppliedObject, askedPolicy, changesDeclaredFields, isOneOf, notClusterItself, notDriftless } from "./prevent-cel.ts";
import type { WriterIdentity } from "./prevent-identity.ts";
import { type CelVariable, type Places, type PreventedApplication, placesIn } from "./prevent-places.ts";

export interface PreventRequest {
  /** Tells the policies of several installations in one cluster apart: lower-case letters and digits. */
  readonly installation: string;
  readonly applications: readonly PreventedApplication[];
  /** Everyone as whom Driftless writes. */
  readonly writers: readonly WriterIdentity[];
  readonly settings: PreventionSettings;
}

/** On every object of prevention; its value is the installation. Not the label of applications: these are nobody's. */
export const preventionLabel = "driftless.dev/prevention";

const version = "admissionregistration.k8s.io/v1";

/**
 * The policies, each with its binding after it, that have the API server refuse changes of prevented objects; equal requests give
 * equal manifests. Objects are known by our label and our share of managedFields, so new ones are covered from their first second.
 * A request for `scale` shows neither of them: a policy of its own knows the objects by name.
 */
export function preventionManifests(request: PreventRequest): readonly Manifest[] {
  return placesIn(request.applications).flatMap((places, index) => {
    const name = `${preventionPrefix}${request.installation}${index === 0 ? "" : `-${index + 1}`}`;
    return [...objectPolicy(name, { request, places }), ...scalePolicy(`${name}-scale`, { request, places })];
  });
}

/** What a message names as the place of changes: the first folder in Git, or else the chart. */
export function placeOf({ sources }: Application): string {
  const more = sources.length > 1 ? ` and ${sources.length - 1} more` : "";
  const folder = sources.find((source) => source.kind === "git" && source.path !== undefined) ?? sources[0];
  if (folder === undefined) return "its repository";
  if (folder.kind === "chart") return `chart ${folder.chart.name} of ${folder.chart.repository}${more}`;
  const path = folder.path === undefined || folder.path === "" ? "" : `, path ${folder.path}`;
  return `${folder.repository}${path}, branch ${folder.targetRevision}${more}`;
}

interface Stated {
  readonly request: PreventRequest;
  readonly places: Places;
}

function objectPolicy(name: string, { request, places }: Stated): readonly Manifest[] {
  const { variables, whole, known, place } = places;
  return withBinding(name, request, {
    matchConstraints: constraints(
      // No subresources but this one, which changes declared fields of a pod: status stays open to its writers.
      { operations: ["UPDATE", "DELETE"], resources: ["*", "pods/resize"] },
      // Cheap: every write of the cluster comes by here, and nearly all of them end here.
      { matchExpressions: [{ key: applicationLabel, operator: "Exists" }] },
    ),
    matchConditions: [
      ...strangers(request),
      { name: "an-applied-object", expression: anAppliedObject },
      { name: "more-than-status-and-finalizers", expression: changesDeclaredFields },
    ],
    ...ruling(request, [
      ...variables,
      { name: "application", expression: `string(oldObject.metadata.labels[${JSON.stringify(applicationLabel)}])` },
      { name: "asked", expression: askedPolicy },
      {
        name: "prevented",
        expression: `(variables.asked == "prevent" && (${known})) || (!(variables.asked in ["heal", "report", "ignore"]) && (${whole}))`,
      },
      { name: "place", expression: place },
      { name: "object", expression: objectText },
    ]),
  });
}

/** Nothing where nothing has a scale. */
function scalePolicy(name: string, { request, places }: Stated): readonly Manifest[] {
  const { variables, place, scales, ownerOfScale } = places;
  if (scales.length === 0) return [];
  const key = `request.resource.resource + "." + request.resource.group + "/" + request.namespace + "/" + request.name`;
  return withBinding(name, request, {
    matchConstraints: constraints({ operations: ["UPDATE"], resources: ["*/scale"] }, {}),
    matchConditions: [
      ...strangers(request),
      { name: "another-number", expression: "object.?spec.?replicas != oldObject.?spec.?replicas" },
    ],
    ...ruling(request, [
      ...variables,
      ...scales,
      { name: "key", expression: key },
      { name: "application", expression: ownerOfScale },
      { name: "prevented", expression: `variables.application != ""` },
      { name: "place", expression: place },
      {
        name: "object",
        expression: `"the scale of " + request.resource.resource + " " + request.namespace + "/" + request.name`,
      },
    ]),
  });
}

function constraints(
  rule: { readonly operations: readonly string[]; readonly resources: readonly string[] },
  objectSelector: object,
) {
  const everywhere = { apiGroups: ["*"], apiVersions: ["*"], scope: "*" };
  return { matchPolicy: "Equivalent", namespaceSelector: {}, objectSelector, resourceRules: [{ ...everywhere, ...rule }] };
}

/** Everyone but those whose work it is. */
function strangers({ writers, settings }: PreventRequest) {
  return [
    // Sweeps, previews and `kubectl diff` ask by dry runs, whoever they come as.
    { name: "not-a-dry-run", expression: "!request.?dryRun.orValue(false)" },
    { name: "not-driftless", expression: notDriftless(writers) },
    { name: "not-the-cluster-itself", expression: notClusterItself },
    { name: "not-allowed", expression: `!(${isOneOf(settings.allow)})` },
  ];
}

/** `variables` say `prevented`, `application`, `object` and `place`. */
function ruling({ settings }: PreventRequest, variables: readonly CelVariable[]) {
  return {
    // What a policy that fails lets through is healed by the next sweep; one that refuses everybody stops every sync.
    failurePolicy: "Ignore",
    variables: [...variables, { name: "breakGlass", expression: isOneOf({ users: [], groups: settings.breakGlassGroups }) }],
    validations: [
      {
        expression: "!variables.prevented || variables.breakGlass",
        messageExpression: [
          `variables.object + " belongs to application " + variables.application`,
          ` + ", which Driftless keeps as Git states it (drift: prevent): change it in " + variables.place`,
        ].join(""),
        message: "This object is kept as Git states it (drift: prevent): change it in the repository of its application",
        reason: "Forbidden",
      },
    ],
    auditAnnotations: [
      {
        key: breakGlassKey,
        valueExpression: `variables.prevented && variables.breakGlass ? variables.application + ": " + variables.object : ""`,
      },
    ],
  };
}

/** As people write it: `Deployment shop/web`. */
const objectText = [
  `string(oldObject.kind) + " "`,
  `(has(oldObject.metadata.namespace) ? string(oldObject.metadata.namespace) + "/" : "")`,
  "string(oldObject.metadata.name)",
].join(" + ");

function withBinding(name: string, { installation }: PreventRequest, spec: object): readonly Manifest[] {
  const metadata = { name, labels: { [preventionLabel]: installation, "app.kubernetes.io/managed-by": "driftless" } };
  const bind = { policyName: name, validationActions: ["Deny", "Audit"] };
  return [
    { apiVersion: version, kind: "ValidatingAdmissionPolicy", metadata, spec } as unknown as Manifest,
    { apiVersion: version, kind: "ValidatingAdmissionPolicyBinding", metadata, spec: bind },
  ];
}
