/** Small manifests as text, for trees in memory. */
export function configMap(name: string, options: { readonly namespace?: string; readonly mode?: string } = {}): string {
  const { namespace, mode = "fast" } = options;
  const place = namespace === undefined ? "" : `\n  namespace: ${namespace}`;
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}${place}\ndata:\n  mode: ${mode}\n`;
}

/** A deployment of one container, with a service in front. */
export function webShop(image = "nginx:1.25"): string {
  return [
    "apiVersion: apps/v1",
    "kind: Deployment",
    "metadata: {name: web, labels: {app: web}}",
    "spec:",
    "  replicas: 1",
    "  selector: {matchLabels: {app: web}}",
    "  template:",
    "    metadata: {labels: {app: web}}",
    "    spec:",
    "      containers:",
    `      - {name: web, image: ${image}}`,
    "---",
    "apiVersion: v1",
    "kind: Service",
    "metadata: {name: web}",
    "spec: {selector: {app: web}, ports: [{port: 80}]}",
    "",
  ].join("\n");
}
