/** Who may change prevented objects of one cluster, beside Driftless and the cluster's own controllers. */
export interface PreventionSettings {
  /** Identities that work on these objects as a matter of course: operators, autoscalers. */
  readonly allow: { readonly users: readonly string[]; readonly groups: readonly string[] };
  /** Whose members get through in an emergency, and are recorded. */
  readonly breakGlassGroups: readonly string[];
}

/** What counts where the configuration says nothing. */
export const defaultPrevention: PreventionSettings = {
  allow: { users: [], groups: [] },
  breakGlassGroups: ["driftless:break-glass"],
};

/** What all policies of prevention are called by, before the id of the installation. */
export const preventionPrefix = "driftless-prevent-";

/** Key of the audit annotation that says who got through; the API server writes it as `POLICY/break-glass`. */
export const breakGlassKey = "break-glass";

/** True for the key of an audit annotation by which the API server says that a member of a break-glass group got through. */
export function isBreakGlassAnnotation(key: string): boolean {
  return key.startsWith(preventionPrefix) && key.endsWith(`/${breakGlassKey}`);
}

/** True for what the API server says when one of our policies refuses a request. */
export function isPreventionRefusal(message: string): boolean {
  return message.includes(`ValidatingAdmissionPolicy '${preventionPrefix}`);
}

/** One object that prevention put into a cluster: a policy or a binding. */
export interface PreventionObject {
  readonly kind: "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding";
  readonly name: string;
  /** "" before the first answer of the API server. */
  readonly uid: string;
  /** `metadata.generation`, by which a change of it shows; 0 before the first answer. */
  readonly generation: number;
}

/** What Driftless knows of prevention in one cluster. */
export interface Prevention {
  readonly cluster: string;
  /** Of the manifests that are in force; "" while they are being installed. */
  readonly digest: string;
  readonly objects: readonly PreventionObject[];
  /** Why it is wanted and not in force, for people; "" when it is. */
  readonly problem: string;
}
