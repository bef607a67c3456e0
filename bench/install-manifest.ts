/**
 * A manifest such as operators are installed by: definitions of custom resources, deeply nested and mostly described, then a
 * Deployment for each. The same text every time, of at least so many characters.
 */
export function installManifest(characters: number): string {
  const documents: string[] = [];
  for (let length = 0, index = 1; length < characters; index++) {
    const left = characters - length;
    const text = `${definition({ name: `kind${index}`, characters: Math.min(left, 400_000), described: index % 3 !== 0 })}${deployment(index)}`;
    documents.push(text);
    length += text.length;
  }
  return documents.join("");
}

const names = [
  ..."annotations args command conditions configMap containers env envFrom generators group headers image items key labels limits".split(
    " ",
  ),
  ..."matchExpressions matchLabels name namespace operator optional parameters path podSelector port ports project protocol".split(
    " ",
  ),
  ..."provider replicas repoURL resources revision rules secretRef selector server sources spec storage targets template timeout".split(
    " ",
  ),
  ..."tolerations type url values version volumes weight".split(" "),
];

interface Definition {
  readonly name: string;
  readonly characters: number;
  readonly described: boolean;
}

function definition({ name, characters, described }: Definition): string {
  const fields = fieldWriter(described);
  let properties = "";
  for (let index = 0; properties.length < characters; index++)
    properties += `              part${index}:\n${fields.object(16, 0)}`;
  return `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.17.0
  name: ${name}s.bench.example
spec:
  group: bench.example
  names:
    kind: ${name}
    listKind: ${name}List
    plural: ${name}s
    singular: ${name}
  scope: Namespaced
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
${properties}            type: object
        type: object
    served: true
    storage: true
    subresources:
      status: {}
`;
}

/** Fields in a fixed, irregular order. */
function fieldWriter(described: boolean) {
  let state = 7;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 12) % limit;
  };
  const pick = (options: readonly string[]): string => options[below(options.length)] ?? "";

  const description = (indent: string, name: string): string => {
    if (!described) return "";
    const first = `${name} selects what the ${pick(names)} of this resource is taken from, and defaults`;
    if (below(3) === 0) return `${indent}description: ${first.slice(0, 40)}\n`;
    if (below(2) === 0) return `${indent}description: ${first}\n${indent}  to that of the ${pick(names)} when it is left out.\n`;
    return `${indent}description: |-\n${indent}  ${first}\n${indent}  to that of the ${pick(names)}.\n\n${indent}  More info: https://bench.example/docs#${name}\n`;
  };
  const leaf = (indent: string): string => {
    switch (below(8)) {
      case 0:
        return `${indent}items:\n${indent}  type: string\n${indent}type: array\n${indent}x-kubernetes-list-type: atomic\n`;
      case 1:
        return `${indent}additionalProperties:\n${indent}  type: string\n${indent}type: object\n`;
      case 2:
        return `${indent}format: int64\n${indent}minimum: 0\n${indent}type: integer\n`;
      case 3:
        return `${indent}default: ""\n${indent}enum:\n${indent}- Always\n${indent}- Never\n${indent}type: string\n`;
      case 4:
        return `${indent}anyOf:\n${indent}- type: integer\n${indent}- type: string\n${indent}x-kubernetes-int-or-string: true\n`;
      default:
        return `${indent}type: ${pick(["string", "string", "boolean"])}\n`;
    }
  };
  const object = (column: number, depth: number): string => {
    const indent = " ".repeat(column);
    const inner = " ".repeat(column + 4);
    const first = below(names.length);
    const fields = Array.from({ length: 3 + below(4) }, (_, index) => {
      const name = names[(first + index * 5) % names.length] ?? "";
      const head = `${indent}  ${name}:\n${description(inner, name)}`;
      if (depth > 5 || below(5) > 1) return head + leaf(inner);
      if (below(2) === 0) return head + object(column + 4, depth + 1);
      return `${head}${inner}items:\n${object(column + 6, depth + 1)}${inner}type: array\n`;
    });
    return `${indent}properties:\n${fields.join("")}${indent}required:\n${indent}- ${names[first] ?? ""}\n${indent}type: object\n`;
  };
  return { object };
}

function deployment(index: number): string {
  return `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: operator-${index}
  namespace: operators
spec:
  replicas: 1
  selector:
    matchLabels:
      app: operator-${index}
  template:
    metadata:
      labels:
        app: operator-${index}
    spec:
      containers:
      - args: ["--leader-elect", "--metrics-bind-address=:8080"]
        image: registry.example/operator:1.${index}.0
        name: manager
        resources: {limits: {cpu: 500m, memory: 128Mi}}
`;
}
