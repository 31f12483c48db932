import { parseArgs } from "node:util";

export const USAGE = `Usage: npm run bench -- [options]

Measures Holdfast side by side with its peers, on a server that it starts itself.

  --only WORKLOAD  one of lock, handover, takeover, leader, idempotency, cache, codec, held, waiters;
                   may be given several times
  --server KIND    "redis 7.0", "valkey 8.1" or "valkey 9", also written valkey-9; default: the one in
                   HOLDFAST_SERVER, or the first in the PATH
  --contestant NAME
                   only those whose name contains NAME; may be given several times
  --quick          shows in a few minutes that everything works; the figures mean nothing
  --check          compares what is reached with bench/results/baseline.json; fails if it got worse
  --record         writes the results to bench/results/baseline.json, a picture, and bench/README.md
  --no-build       measures dist/ as it is
  --help           shows this`;

export interface Options {
  /** Names of workloads; none: all. */
  readonly only: readonly string[];
  /** Parts of names of contestants; none: all. */
  readonly contestants: readonly string[];
  readonly server: string | undefined;
  readonly quick: boolean;
  readonly check: boolean;
  readonly record: boolean;
  readonly build: boolean;
  readonly help: boolean;
}

/** Throws an error that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true, default: [] },
      contestant: { type: "string", multiple: true, default: [] },
      server: { type: "string" },
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { only, contestant: contestants, server, quick, check, record, help } = values;
  const partial = quick || only.length > 0 || contestants.length > 0;
  if (record && partial) throw new Error("--record wants a whole run: neither --quick nor --only nor --contestant");
  if (check && quick) throw new Error("--check compares figures; those of --quick mean nothing");
  const build = !values["no-build"];
  return { only, contestants, server: server?.replaceAll("-", " "), quick, check, record, build, help };
}
