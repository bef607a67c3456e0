/** A CustomResourceDefinition, in whichever version. */
export function isCrd(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return object.kind === "CustomResourceDefinition" && object.apiVersion.startsWith("apiextensions.k8s.io/");
}

/** What other objects stand on, and must therefore be there before them. */
export function isFoundation(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return isCrd(object) || (object.kind === "Namespace" && object.apiVersion === "v1");
}
