import type { Invocation, Worker, WorkerDeps } from "../../cli/local/worker.ts";
import { type ExecutionEnvironment, startEnvironment } from "./environment.ts";
import type { PackagedFunction } from "./functions.ts";

export interface PackagedWorkerOptions {
  /** Program of the runtime interface client. */
  readonly client: string;
  /** By the name that the template gives each. */
  readonly functions: ReadonlyMap<string, PackagedFunction>;
}

/** Counts of one function, for tests. */
export interface Boots {
  readonly functionName: string;
  readonly pid: number | undefined;
}

/** Runs invocations as Lambda does: each in an environment of its function that is idle, or in a new one. */
export function packagedWorker({ client, functions }: PackagedWorkerOptions, boots: Boots[] = []) {
  return ({ environment, clock, onLine }: WorkerDeps): Worker => {
    const idle = new Map<string, ExecutionEnvironment[]>();
    const all = new Set<ExecutionEnvironment>();

    const boot = async (name: string): Promise<ExecutionEnvironment> => {
      const packaged = functions.get(name);
      if (packaged === undefined) throw new Error(`no function was packaged as ${name}`);
      const { folder, handler, timeoutSeconds } = packaged;
      const variables = { ...packaged.runtimeVariables, ...environment, ...packaged.variables };
      const booted = await startEnvironment({ client, folder, handler, timeoutSeconds, variables, clock, onLine });
      all.add(booted);
      void booted.gone.then(() => all.delete(booted));
      boots.push({ functionName: name, pid: booted.pid });
      return booted;
    };
    const take = (name: string): ExecutionEnvironment | undefined => {
      const waiting = idle.get(name) ?? [];
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) if (one.usable) return one;
      return undefined;
    };

    return {
      pid: undefined,
      async run({ id, functionName, functionArn, payload }: Invocation) {
        const environment = take(functionName) ?? (await boot(functionName));
        const outcome = await environment.call({ id, functionArn, payload });
        if (environment.usable) idle.set(functionName, [...(idle.get(functionName) ?? []), environment]);
        return outcome;
      },
      kill() {
        for (const environment of all) environment.kill();
      },
      async close() {
        for (const environment of all) environment.kill();
        await Promise.all(Array.from(all, ({ gone }) => gone));
      },
    };
  };
}
