const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The listeners of this file, as told apart from everybody else's. */
const ours = new WeakSet<(signal: NodeJS.Signals) => void>();

/**
 * Calls `abandon` when this process ends before `release` was called: at its exit, or by a signal that nobody else listens to.
 * Whoever listens to a signal decides what it means, and ends in an exit sooner or later.
 */
export function onProcessEnd(abandon: () => void): { release(): void } {
  const bySignal = (signal: NodeJS.Signals) => {
    if (process.listeners(signal).some((listener) => !ours.has(listener))) return;
    abandon();
    release();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const release = () => {
    process.off("exit", abandon);
    for (const signal of signals) process.off(signal, bySignal);
  };
  ours.add(bySignal);
  process.once("exit", abandon);
  for (const signal of signals) process.on(signal, bySignal);
  return { release };
}
