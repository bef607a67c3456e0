/**
 * Loads a bundle as Lambda does, and prints what came of it as one line of JSON: the names it exports or the error,
 * the variables of Driftless that it read, and its answer to the event in the second argument, if there is one.
 */
const [bundle = "", event] = process.argv.slice(2);
const read = new Set<string>();
process.env = new Proxy(process.env, {
  get(env, name) {
    if (typeof name === "string" && /^DRIFTLESS_|^KUBECONFIG$/.test(name)) read.add(name);
    return Reflect.get(env, name) as unknown;
  },
});

async function outcome(): Promise<object> {
  try {
    const loaded = (await import(bundle)) as Readonly<Record<string, unknown>>;
    const exports = Object.keys(loaded);
    if (event === undefined) return { exports };
    const handler = loaded["handler"] as (event: unknown, context: unknown) => Promise<unknown>;
    return { exports, answer: await handler(JSON.parse(event), { awsRequestId: "1" }) };
  } catch (error) {
    const { name, code, message } = error as { readonly name: string; readonly code: unknown; readonly message: string };
    return { error: { name, code, message } };
  }
}

const result = await outcome();
process.stdout.write(`\n${JSON.stringify({ ...result, read: [...read].sort() })}\n`);
