import { parseArgs } from "node:util";

export const USAGE = `Usage: npm run demo -- [options]

Processes orders.jsonl with several workers that handle each order once, and lock its customer's account meanwhile.

  --store URL    where locks and results are kept. "memory:" (default): the workers run in this process.
                 "redis://host:port" and its like: each worker is a process of its own.
  --workers N    how many workers, 1 to 64 (default 4)
  --kill N       kill N of the processes (SIGKILL), one after the other, each in the middle of an order
  --no-lock      book without a lock, to see what the lock prevents
  --help         show this`;

export interface Options {
  readonly store: string;
  readonly workers: number;
  readonly kill: number;
  readonly lock: boolean;
  readonly help: boolean;
}

/** Throws an error that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: "string", default: "memory:" },
      workers: { type: "string", default: "4" },
      kill: { type: "string", default: "0" },
      "no-lock": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
    throw new Error(`--workers is "${values.workers}"; it must be a whole number from 1 to 64`);
  }
  const kill = Number(values.kill);
  if (!Number.isInteger(kill) || kill < 0 || kill > 100) {
    throw new Error(`--kill is "${values.kill}"; it must be a whole number from 0 to 100`);
  }
  if (kill > 0 && values.store.startsWith("memory:")) {
    throw new Error("--kill needs a server (--store): workers over the memory store are no processes of their own");
  }
  if (!/^(memory|rediss?(\+\w+)?):/.test(values.store)) {
    throw new Error(`--store is "${values.store}"; it must be "memory:" or the URL of a server`);
  }
  return { store: values.store, workers, kill, lock: !values["no-lock"], help: values.help };
}
