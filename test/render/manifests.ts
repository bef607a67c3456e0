/** Small manifests as text, for trees in memory. */
export function configMap(name: string, options: { readonly namespace?: string; readonly mode?: string } = {}): string {
  const { namespace, mode = "fast" } = options;
  const place = namespace === undefined ? "" : `\n  namespace: ${namespace}`;
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}${place}\ndata:\n  mode: ${mode}\n`;
}
