import { Machine } from "./machine.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { Random } from "./random.ts";
import { SimCache } from "./sim-cache.ts";
import { Store } from "./store.ts";
import { Timeline } from "./timeline.ts";

/** What does not change during a schedule. */
export interface Setting {
  readonly seed: number;
  readonly processes: number;
  readonly ordered: boolean;
  readonly resends: boolean;
  readonly maxDelayMs: number;
  readonly operationLimitMs: number;
  /** Whether the wall clocks of the processes are right, or each wrong by up to minutes. */
  readonly wallClocks: "right" | "wrong";
}

/** A promise that was broken; the message says which. */
export class Violation extends Error {
  override readonly name: string = "Violation";
}

/** Relative to each other, no two clocks differ by more than the 1 % that the lease allows for. */
export const RATE_ERROR = 0.005;
const WALL_ERROR_MS = 120_000;
const EPOCH_MS = 1_700_000_000_000;
/** A schedule that needs more has a loop in it. */
const MAX_HAPPENINGS = 15_000;

/** A process with its machine, its network and its cache. */
export class Process {
  readonly index: number;
  readonly machine: Machine;
  readonly network: Network;
  readonly cache: SimCache;
  /** Whether its wall clock was set back, or its machine slept: together they would hide time from both clocks. */
  wallWentBack = false;
  slept = false;

  constructor(world: World, index: number, generation: number) {
    const { setting, timeline } = world;
    const luck = new Random(setting.seed, index, generation);
    const rate = luck.between(1 - RATE_ERROR, 1 + RATE_ERROR);
    const right = setting.wallClocks === "right";
    this.index = index;
    this.machine = new Machine(timeline, {
      seed: luck.next() * 2 ** 32,
      rate,
      wallRate: right ? 1 : rate,
      wallMs: EPOCH_MS + timeline.nowMs + (right ? 0 : luck.between(-WALL_ERROR_MS, WALL_ERROR_MS)),
    });
    const network: NetworkOptions = { ...setting, seed: luck.next() * 2 ** 32, minDelayMs: 0.1 };
    this.network = new Network(timeline, this.machine, world, network);
    this.cache = new SimCache({
      ...setting,
      timeline,
      machine: this.machine,
      network: this.network,
      store: world.store,
    });
    this.machine.onRun = () => {
      world.dirty = true;
    };
  }

  kill(): void {
    this.machine.kill();
    this.cache.abandon();
  }
}

/** A server, some processes, and everything that happens between them. */
export class World {
  readonly setting: Setting;
  readonly timeline: Timeline = new Timeline();
  readonly serverClock: Machine;
  readonly store: Store;
  readonly processes: Process[];
  hungUntilMs = 0;
  /** Something of a process has run since the last check. */
  dirty = false;
  happenings = 0;
  /** Checks the invariants; throws a {@link Violation}. */
  check: () => void = () => {};
  /** Takes down what happens, for whoever reads a failed schedule. */
  trace: ((line: string) => void) | undefined;
  #generations = 0;

  constructor(setting: Setting) {
    this.setting = setting;
    const luck = new Random(setting.seed, 4711);
    const rate = luck.between(1 - RATE_ERROR, 1 + RATE_ERROR);
    this.serverClock = new Machine(this.timeline, { seed: 1, rate, wallRate: rate, wallMs: EPOCH_MS + luck.next() });
    this.store = new Store(this.serverClock, this.timeline);
    this.processes = Array.from({ length: setting.processes }, (_, index) => this.newProcess(index));
  }

  newProcess(index: number): Process {
    return new Process(this, index, this.#generations++);
  }

  process(index: number): Process {
    return this.processes[index % this.processes.length] as Process;
  }

  log(line: () => string): void {
    this.trace?.(`${this.timeline.nowMs.toFixed(2).padStart(10)}  ${line()}`);
  }

  /** The server stops in its tracks; requests wait until it goes on. */
  hang(ms: number): void {
    this.hungUntilMs = Math.max(this.hungUntilMs, this.timeline.nowMs + ms);
  }

  /** Lets everything happen up to a true time, or until nothing more does. */
  async run(untilMs: number): Promise<void> {
    for (let run = this.timeline.next(untilMs); run; run = this.timeline.next(untilMs)) {
      this.happenings += 1;
      if (this.happenings > MAX_HAPPENINGS) throw new Violation("more happens than can be: something spins");
      run();
      if (this.dirty) await this.settle();
    }
  }

  /** Lets everything that needs no time happen, then checks the invariants. */
  async settle(): Promise<void> {
    do {
      this.dirty = false;
      await settled();
      this.check();
    } while (this.dirty);
  }
}

/** Resolves when no promise can go on by itself: a macrotask runs after all microtasks. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
