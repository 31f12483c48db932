/**
 * `npm run test:simulation`: the deterministic simulator at full depth, on every core.
 *
 *     -- --schedules N      how many for each primitive; default 42,000, which is a million steps
 *     -- --only locks       one primitive
 *     -- --seed S           where to begin; default random
 *     -- --seed S --path P  the schedule that a failure names, with everything that happens in it
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { addFigures, type Exploration, explore, type Figures, NO_FIGURES } from "../test/simulation/explore.ts";
import { simulators } from "../test/simulation/simulators.ts";

/** A part of the work, with a seed of its own, so that a failure is seen again by itself. */
interface Batch {
  readonly simulator: string;
  readonly seed: number;
  readonly schedules: number;
  readonly path?: string | undefined;
}

const BATCH = 500;

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "42000" },
    only: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
  },
});

if (process.send) process.on("message", (batch: Batch) => void work(batch).then((done) => process.send?.(done)));
else await main();

async function work({ simulator: name, ...options }: Batch): Promise<Exploration> {
  const simulator = simulators.find((each) => each.name === name);
  if (simulator === undefined) throw new Error(`There is no simulator "${name}"`);
  return explore(simulator, options);
}

async function main(): Promise<void> {
  const chosen = simulators.filter(({ name }) => values.only === undefined || name === values.only);
  if (chosen.length === 0) throw new Error(`--only is one of: ${simulators.map(({ name }) => name).join(", ")}`);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(values.seed);
  for (const { name } of chosen) {
    if (await simulateAll(name, seed)) process.exitCode = 1;
  }
}

/** Simulates one primitive; returns whether a promise was broken. */
async function simulateAll(simulator: string, seed: number): Promise<boolean> {
  const startedMs = performance.now();
  const batches = batchesOf(simulator, seed);
  let figures = NO_FIGURES;
  let failure: string | undefined;
  const takeAll = async (): Promise<void> => {
    await using worker = startWorker();
    for (let batch = batches.shift(); batch && failure === undefined; batch = batches.shift()) {
      const done = await worker.run(batch);
      figures = addFigures(figures, done.figures);
      failure ??= done.failure;
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), batches.length) }, takeAll));
  console.log(
    `${simulator}: ${inWords(figures)} in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s (--seed ${seed})`,
  );
  if (failure === undefined) return false;
  console.log(`\nA promise was broken. Again with --only ${simulator} and the seed and path below.\n\n${failure}\n`);
  return true;
}

function batchesOf(simulator: string, seed: number): Batch[] {
  const { path } = values;
  if (path !== undefined) return [{ simulator, seed, schedules: BATCH, path }];
  const count = Math.ceil(Number(values.schedules) / BATCH);
  return Array.from({ length: count }, (_, index) => ({ simulator, seed: seed + index, schedules: BATCH }));
}

function startWorker(): { run(batch: Batch): Promise<Exploration> } & AsyncDisposable {
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), { execArgv: process.execArgv });
  return {
    run: (batch) =>
      new Promise((resolve, reject) => {
        const onExit = (code: number | null): void => reject(new Error(`a worker ended with ${code}`));
        child.once("exit", onExit);
        child.once("message", (done) => {
          child.off("exit", onExit);
          resolve(done as Exploration);
        });
        child.send(batch);
      }),
    async [Symbol.asyncDispose]() {
      child.kill();
    },
  };
}

function inWords({ schedules, steps, happenings, storeCalls, grants, virtualMs }: Figures): string {
  const count = (value: number): string => value.toLocaleString("en");
  const days = count(Math.round(virtualMs / 86_400_000));
  return (
    `${count(schedules)} schedules, ${count(steps)} steps, ${count(happenings)} events, ` +
    `${count(storeCalls)} store operations, ${count(grants)} grants, ${days} virtual days`
  );
}
