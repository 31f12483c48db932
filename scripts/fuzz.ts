/**
 * `npm run test:fuzz`: gives random and hostile input to everything that reads what others have written.
 *
 *     -- --minutes N        how long; default 10
 *     -- --only "codec"     targets with this in their name
 *     -- --seed S           where to begin; default random
 *     -- --seed S --path P  the input that a failure names, with --only
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Fuzzing, fuzz } from "../test/fuzz/target.ts";
import { targets } from "../test/fuzz/targets.ts";

interface Batch {
  readonly name: string;
  readonly seed: number;
  readonly runs: number;
  readonly path?: string | undefined;
}

/** A batch takes a second or two; one that takes this long has met an input that hangs it. */
const LIMIT_MS = 180_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    only: { type: "string", default: "" },
    seed: { type: "string" },
    path: { type: "string" },
  },
});

if (process.send) process.on("message", (batch: Batch) => void work(batch).then((done) => process.send?.(done)));
else await main();

async function work({ name, ...options }: Batch): Promise<Fuzzing> {
  const target = targets.find((each) => each.name === name);
  if (target === undefined) throw new Error(`There is no target "${name}"`);
  return fuzz(target, options);
}

/** Each target in turn, until the time is over; one that has broken a promise is left out from then on. */
async function main(): Promise<void> {
  const chosen = new Set(targets.filter(({ name }) => name.includes(values.only)));
  if (chosen.size === 0) throw new Error(`--only is a part of: ${targets.map(({ name }) => name).join(", ")}`);
  const untilMs = performance.now() + Number(values.minutes) * 60_000;
  let seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(values.seed);
  console.log(`--seed ${seed}`);
  const tallies = new Map<string, Fuzzing["tally"]>();
  const { path } = values;
  const worker = startWorker();
  try {
    do {
      for (const target of chosen) {
        const { name, runs } = target;
        const { tally, failure } = await worker.run({ name, seed, runs, path });
        tallies.set(name, sum(tallies.get(name) ?? {}, tally));
        if (failure === undefined) continue;
        console.log(`\nA promise was broken. Again with --only, and the seed and path below.\n\n${failure}\n`);
        process.exitCode = 1;
        chosen.delete(target);
      }
      seed += 1;
    } while (performance.now() < untilMs && path === undefined);
  } finally {
    worker.stop();
    for (const [name, tally] of tallies) console.log(`${name}: ${inWords(tally)}`);
  }
}

function startWorker(): { run(batch: Batch): Promise<Fuzzing>; stop(): void } {
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), { execArgv: process.execArgv });
  return {
    run: (batch) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`"${batch.name}", seed ${batch.seed}: hangs`)), LIMIT_MS);
        const ended = (code: number | null): void =>
          reject(new Error(`"${batch.name}", seed ${batch.seed}: exit ${code}`));
        child.once("exit", ended);
        child.once("message", (done) => {
          clearTimeout(timer);
          child.off("exit", ended);
          resolve(done as Fuzzing);
        });
        child.send(batch);
      }),
    stop: () => {
      child.kill("SIGKILL");
    },
  };
}

function sum(a: Fuzzing["tally"], b: Fuzzing["tally"]): Fuzzing["tally"] {
  return Object.fromEntries([...Object.keys(a), ...Object.keys(b)].map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
}

function inWords(tally: Fuzzing["tally"]): string {
  const all = Object.values(tally).reduce((total, count) => total + count, 0);
  const parts = Object.entries(tally).map(([outcome, count]) => `${count.toLocaleString("en")} ${outcome}`);
  return `${all.toLocaleString("en")} (${parts.join(", ")})`;
}
