import { type Process, Violation, type World } from "./world.ts";

/** What runs a schedule, and is told what must not happen. */
export interface Judged<T> {
  readonly oracle: { fail(message: string): void };
  run(): Promise<T>;
}

/** Runs a simulation in which a promise that is rejected unseen is a broken one. */
export async function judge<T>(simulation: Judged<T>): Promise<T> {
  const onRejection = (reason: unknown): void => simulation.oracle.fail(`unhandled rejection: ${reason}`);
  process.on("unhandledRejection", onRejection);
  try {
    return await simulation.run();
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

/** Faults stop: everybody runs, nothing more goes wrong. What is under way arrives when it arrives. */
export function heal(world: World): void {
  for (const { network, machine } of world.processes) {
    network.heal();
    machine.wake();
  }
}

/** Who has worked is done, and has cleared up after itself. */
export function checkNothingLeft({ store }: World, processes: Iterable<Process>): void {
  for (const { machine, cache, index } of processes) {
    if (machine.dead) continue;
    if (machine.timers > 0) throw new Violation(`process ${index} has left ${machine.timers} timers`);
    if (cache.pending > 0) throw new Violation(`process ${index} has left ${cache.pending} operations`);
    if (cache.watches > 0) throw new Violation(`process ${index} has left ${cache.watches} watches`);
  }
  if (store.watches > 0) throw new Violation(`the store has ${store.watches} watches left`);
}

/** Nobody waits or works any more. */
export function checkAllDone(
  workers: Iterable<{ readonly process: Process; readonly running: Iterable<string> }>,
): void {
  for (const { process, running } of workers) {
    if (process.machine.dead) continue;
    for (const id of running) throw new Violation(`${id} is not done although nothing goes wrong any more`);
  }
}
