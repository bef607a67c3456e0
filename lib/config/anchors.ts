import type { Node } from "yaml";

/** Nodes by anchor; the package's own look-up of an alias is linear. */
export class Anchors {
  /** The nodes of one name, in the order of the text. */
  readonly #nodes = new Map<string, Node[]>();

  /** To be told of every node with an anchor before what follows it in the text is looked at; once more does no harm. */
  add(name: string, node: Node): void {
    const nodes = this.#nodes.get(name);
    if (nodes === undefined) this.#nodes.set(name, [node]);
    else if (startOf(node) > startOf(nodes.at(-1))) nodes.push(node);
  }

  /** What an alias at an offset stands for: the last node of that name before it. */
  before(name: string, offset: number): Node | undefined {
    return this.#nodes.get(name)?.findLast((node) => startOf(node) < offset);
  }
}

function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? -1;
}
