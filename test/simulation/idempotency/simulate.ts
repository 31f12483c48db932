import type { Figures } from "../explore.ts";
import { inflict } from "../faults.ts";
import { checkAllDone, checkNothingLeft, heal, judge } from "../kernel/aftermath.ts";
import { type Process, Violation, World } from "../kernel/world.ts";
import { Oracle } from "./oracle.ts";
import type { Schedule, Step, Task } from "./schedule.ts";
import { Worker } from "./worker.ts";

/** Whoever still works or waits when the faults stop is through with it after this time. */
const PATIENCE_MS = 600_000;
/** Clean-up that goes on in the background gives up after half a minute. */
const QUIET_MS = 120_000;

/**
 * Runs a schedule; rejects with a `Violation` when something happens that must not.
 *
 * @param trace is given a line for everything that happens
 */
export function simulate(schedule: Schedule, trace?: (line: string) => void): Promise<Figures> {
  return judge(new Simulation(schedule, trace));
}

class Simulation {
  readonly oracle: Oracle;
  readonly #schedule: Schedule;
  readonly #world: World;
  readonly #workers = new Map<Process, Worker>();
  #tasks = 0;

  constructor(schedule: Schedule, trace: ((line: string) => void) | undefined) {
    this.#schedule = schedule;
    this.#world = new World(schedule.setting);
    this.#world.trace = trace;
    this.oracle = new Oracle(this.#world, schedule.lossy);
    this.#world.check = () => this.oracle.check();
  }

  async run(): Promise<Figures> {
    const world = this.#world;
    let atMs = 0;
    for (const step of this.#schedule.steps) {
      atMs += step.afterMs;
      world.timeline.at(atMs, () => this.#begin(step));
    }
    await world.run(atMs);
    heal(world);
    await world.run(world.timeline.nowMs + PATIENCE_MS);
    checkAllDone(this.#workers.values());
    await world.run(world.timeline.nowMs + QUIET_MS);
    await world.settle();
    this.#checkNothingLeft();
    return {
      schedules: 1,
      steps: this.#schedule.steps.length,
      happenings: world.happenings,
      virtualMs: world.timeline.nowMs,
      storeCalls: this.#processes().reduce((sum, { cache }) => sum + cache.calls, 0),
      grants: this.oracle.runs,
    };
  }

  #begin({ what }: Step): void {
    const world = this.#world;
    if ("work" in what) return this.#start(world.process(what.process), what);
    if ("close" in what) {
      const worker = this.#worker(world.process(what.close));
      world.log(() => `CLOSE    process ${worker.process.index}`);
      return worker.process.machine.deliver(() => worker.close());
    }
    world.log(() => `FAULT    ${JSON.stringify(what)}`);
    inflict(world, what, (killed) => {
      world.processes[killed.index] = world.newProcess(killed.index);
    });
  }

  #start(process: Process, task: Task): void {
    const worker = this.#worker(process);
    const id = `delivery ${++this.#tasks}`;
    this.#world.log(() => `DELIVER  ${id} to process ${process.index}: ${JSON.stringify(task)}`);
    process.machine.deliver(() => worker.start(id, task));
  }

  #worker(process: Process): Worker {
    let worker = this.#workers.get(process);
    if (worker === undefined) {
      worker = new Worker(this.#world, this.oracle, process, this.#schedule);
      this.#workers.set(process, worker);
    }
    return worker;
  }

  #checkNothingLeft(): void {
    checkNothingLeft(this.#world, this.#processes());
    for (const [key, leftMs] of this.#world.store.remaining()) {
      if (key.startsWith("idem:") && leftMs < this.#schedule.leaseTtlMs)
        throw new Violation(`a claim of ${key} is left`);
    }
  }

  #processes(): Process[] {
    return [...new Set([...this.#workers.keys(), ...this.#world.processes])];
  }
}
