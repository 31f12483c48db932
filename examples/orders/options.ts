import { parseArgs } from "node:util";

export const USAGE = `Usage: npm run demo -- [options]

Processes orders.jsonl with several workers that lock each customer's account.

  --store URL    where the locks are kept. "memory:" (default): the workers run in this process.
                 "redis://host:port" and its like: each worker is a process of its own.
  --workers N    how many workers, 1 to 64 (default 4)
  --no-lock      book without a lock, to see what the lock prevents
  --help         show this`;

export interface Options {
  readonly store: string;
  readonly workers: number;
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
      "no-lock": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
    throw new Error(`--workers is "${values.workers}"; it must be a whole number from 1 to 64`);
  }
  if (!/^(memory|rediss?(\+\w+)?):/.test(values.store)) {
    throw new Error(`--store is "${values.store}"; it must be "memory:" or the URL of a server`);
  }
  return { store: values.store, workers, lock: !values["no-lock"], help: values.help };
}
