import { parseArgs } from "node:util";
import { nearestWord } from "../lib/config/suggest.ts";
import { isDriftlessError, messageOf } from "../lib/errors.ts";
import { redact } from "../lib/telemetry/redact.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { approve } from "./commands/approve.ts";
import { cost } from "./commands/cost.ts";
import { doctor } from "./commands/doctor.ts";
import { drift } from "./commands/drift.ts";
import { explain } from "./commands/explain.ts";
import { health } from "./commands/health.ts";
import { history } from "./commands/history.ts";
import { init } from "./commands/init.ts";
import { kubectl } from "./commands/kubectl.ts";
import { logs } from "./commands/logs.ts";
import { plan } from "./commands/plan.ts";
import { rebuild } from "./commands/rebuild.ts";
import { render } from "./commands/render.ts";
import { resume } from "./commands/resume.ts";
import { rollback } from "./commands/rollback.ts";
import { status } from "./commands/status.ts";
import { suspend } from "./commands/suspend.ts";
import { sweeps } from "./commands/sweeps.ts";
import { sync } from "./commands/sync.ts";
import { validate } from "./commands/validate.ts";
import { oneLine } from "./table.ts";

const commands: Readonly<Record<string, Command>> = {
  status,
  history,
  drift,
  sweeps,
  logs,
  explain,
  plan,
  sync,
  approve,
  rollback,
  suspend,
  resume,
  rebuild,
  render,
  validate,
  health,
  init,
  doctor,
  cost,
  kubectl,
};

const overview = `driftless: serverless GitOps for Kubernetes

${Object.values(commands)
  .map(({ usage, summary }) => `  driftless ${usage}\n      ${summary}`)
  .join("\n")}

Options of all:
  --output table|json   tables for people (default), JSON for programs; render also takes yaml, its default
  --api URL             where the API of Driftless is; default DRIFTLESS_API, else the one that \`npm start\` runs here
  --region REGION       sign requests for that AWS region; default DRIFTLESS_API_REGION, else what the API's host name says
  --help                this text, or that of one command

Exit status: 0 done, 1 failed, 2 wrong usage.
`;

async function main(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const isAsked = name === "" || name === "--help" || name === "help" || name === "-h";
    if (!isAsked) throw new UsageError(`there is no command ${name}${meant(nearestWord(name, Object.keys(commands)))}`);
    process.stdout.write(overview);
    return 0;
  }
  if (command.raw !== undefined) return command.raw(rest, process.env);
  const invocation = parse(command, rest);
  if (invocation === undefined) {
    process.stdout.write(`driftless ${command.usage}\n\n${command.summary}\n${command.help}`);
    return 0;
  }
  const output = await command.run(invocation);
  const printed = invocation.output === "json" ? output.json : output.text;
  const end = invocation.output === "json" && printed !== "" ? "\n" : "";
  // What a folder renders to is printed as it is, for kubectl to take.
  process.stdout.write(`${command.printsYaml === true ? printed : redact(printed)}${end}`);
  return output.status ?? 0;
}

/** Undefined when the help is asked for. */
function parse(command: Command, args: readonly string[]): Invocation | undefined {
  const shared = {
    output: { type: "string" },
    api: { type: "string" },
    region: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...shared, ...command.options },
      allowPositionals: true,
    });
    if (values["help"] === true) return undefined;
    const { output: asked = "table", api, region } = values as { output?: string; api?: string; region?: string };
    const output = asked === "yaml" && command.printsYaml === true ? "table" : asked;
    if (output !== "table" && output !== "json") throw new UsageError(`--output is table or json, not ${output}`);
    if (positionals.length > command.positionals.most)
      throw new UsageError(`unexpected argument ${positionals[command.positionals.most]}`);
    if (positionals.length < command.positionals.least) throw new UsageError("an argument is missing");
    const say = (line: string): void => void process.stderr.write(redact(`${oneLine(line)}\n`));
    const named = { ...(api === undefined ? {} : { api }), ...(region === undefined ? {} : { region }) };
    return { output, positionals, values, environment: process.env, say, ...named };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(explained(messageOf(error), Object.keys({ ...shared, ...command.options })));
  }
}

/** What Node says of wrong options, in the words of this command line. */
function explained(message: string, options: readonly string[]): string {
  const [, unknown] = /^Unknown option '(--?[^']*)'/.exec(message) ?? [];
  if (unknown !== undefined) {
    const near = nearestWord(unknown.replace(/^-+/, ""), options);
    return `there is no option ${unknown}${meant(near && `--${near}`)}`;
  }
  const [, option] = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument (?:missing|is ambiguous)/.exec(message) ?? [];
  if (option === undefined) return message;
  return `${option} needs a value${message.includes("ambiguous") ? `; one that begins with a dash is written ${option}=-VALUE` : ""}`;
}

/** Of a command that there is; else that of all. */
function helpOf(name = ""): string {
  return Object.hasOwn(commands, name) ? `${name} ` : "";
}

function meant(near: string | undefined): string {
  return near === undefined ? "" : `: did you mean ${near}?`;
}

/** Whoever reads on, as `head` does, may stop before the end. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit();
}

process.stdout.on("error", endWithReader);
process.stderr.on("error", endWithReader);

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  if (!isUsage && !isDriftlessError(error)) throw error;
  process.stderr.write(
    redact(`driftless: ${messageOf(error)}\n${isUsage ? `Try \`driftless ${helpOf(process.argv[2])}--help\`.\n` : ""}`),
  );
  process.exitCode = isUsage ? 2 : 1;
}
