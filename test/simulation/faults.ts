import fc from "fast-check";
import type { Accident } from "./kernel/network.ts";
import { type Process, RATE_ERROR, type Setting, type World } from "./kernel/world.ts";

/** Something goes wrong with a process or its network. */
export type ProcessFault =
  | ({ readonly fault: "accident"; readonly process: number } & Accident)
  | {
      readonly fault: "stall";
      readonly process: number;
      readonly way: "requests" | "answers" | "both";
      readonly ms: number;
    }
  | { readonly fault: "break"; readonly process: number; readonly rest: "arrives" | "lost"; readonly lateMs: number }
  | { readonly fault: "mute" | "pause" | "suspend"; readonly process: number; readonly ms: number }
  | { readonly fault: "kill"; readonly process: number }
  | { readonly fault: "jump"; readonly process: number; readonly ms: number }
  | { readonly fault: "drift"; readonly process: number; readonly to: number };

/** Something goes wrong with the server, but it keeps what it acknowledged. */
export type ServerFault =
  | { readonly fault: "hang"; readonly ms: number }
  | { readonly fault: "setBack"; readonly ms: number };

/** The server loses what it acknowledged. */
export type Loss =
  | { readonly fault: "empty" }
  | { readonly fault: "rollBack"; readonly writes: number }
  | { readonly fault: "evict"; readonly key: number }
  | { readonly fault: "setForward"; readonly ms: number };

export type Fault = ProcessFault | ServerFault | Loss;

/** Times around `scaleMs`, which is the length of a lease: half of them short, half of its order. */
export function times(scaleMs: number): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(0, 1, 3, 10),
    fc.integer({ min: 0, max: 150 }).map((percent) => (percent * scaleMs) / 100),
  );
}

export function settings(): fc.Arbitrary<Setting> {
  return fc.record({
    seed: fc.integer({ min: 0 }),
    processes: fc.integer({ min: 2, max: 4 }),
    ordered: fc.boolean(),
    resends: fc.constantFrom(false, false, true),
    maxDelayMs: fc.constantFrom(0.5, 2, 20),
    operationLimitMs: fc.constantFrom(30, 200, 2_000),
    wallClocks: fc.constantFrom("right", "wrong"),
  });
}

/** Something befalls one message of a process. */
export function accident(ms: fc.Arbitrary<number>): fc.Arbitrary<ProcessFault> {
  return fc.record({
    fault: fc.constant("accident"),
    process: fc.nat({ max: 3 }),
    kind: fc.constantFrom("lost", "reply-lost", "reply-lost", "late", "twice"),
    skip: fc.nat({ max: 5 }),
    lateMs: ms,
    silent: fc.boolean(),
  }) as fc.Arbitrary<ProcessFault>;
}

export function processFaults(ms: fc.Arbitrary<number>): fc.Arbitrary<ProcessFault> {
  const process = fc.nat({ max: 3 });
  return fc.oneof(
    { weight: 5, arbitrary: accident(ms) },
    {
      weight: 2,
      arbitrary: fc.record({
        fault: fc.constant("stall" as const),
        process,
        way: fc.constantFrom("requests", "answers", "both"),
        ms,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        fault: fc.constant("break" as const),
        process,
        rest: fc.constantFrom("arrives", "lost"),
        lateMs: ms,
      }),
    },
    { weight: 4, arbitrary: fc.record({ fault: fc.constantFrom("mute", "pause", "pause", "suspend"), process, ms }) },
    { weight: 1, arbitrary: fc.record({ fault: fc.constant("kill" as const), process }) },
    {
      weight: 1,
      arbitrary: fc.record({
        fault: fc.constant("jump" as const),
        process,
        ms: fc.tuple(ms, fc.constantFrom(-1, 1, 60)).map(([length, way]) => length * way),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        fault: fc.constant("drift" as const),
        process,
        to: fc.constantFrom(1 - RATE_ERROR, 1, 1 + RATE_ERROR),
      }),
    },
  ) as fc.Arbitrary<ProcessFault>;
}

export function serverFaults(ms: fc.Arbitrary<number>): fc.Arbitrary<ServerFault> {
  return fc.record({ fault: fc.constantFrom("hang", "setBack"), ms }) as fc.Arbitrary<ServerFault>;
}

export function losses(ms: fc.Arbitrary<number>): fc.Arbitrary<Loss> {
  return fc.oneof(
    fc.constant({ fault: "empty" as const }),
    fc.record({ fault: fc.constant("rollBack" as const), writes: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ fault: fc.constant("evict" as const), key: fc.nat({ max: 7 }) }),
    fc.record({ fault: fc.constant("setForward" as const), ms }),
  );
}

/** Lets a fault happen. @param onKill puts another process in the place of one that was killed */
export function inflict(world: World, fault: Fault, onKill: (process: Process) => void): void {
  if ("process" in fault) return disturb(world.process(fault.process), fault, onKill);
  switch (fault.fault) {
    case "hang":
      return world.hang(fault.ms);
    case "setBack":
      return world.store.jumpClock(-fault.ms);
    case "setForward":
      return world.store.jumpClock(fault.ms);
    case "empty":
      world.store.empty();
      return breakAll(world);
    case "rollBack":
      world.store.rollBack(fault.writes);
      return breakAll(world);
    case "evict": {
      const keys = [...world.store.remaining().keys()];
      const key = keys[fault.key % keys.length];
      if (key !== undefined) world.store.evict(key);
    }
  }
}

function breakAll(world: World): void {
  for (const process of world.processes) process.network.break("lost");
}

function disturb(process: Process, fault: ProcessFault, onKill: (process: Process) => void): void {
  const { machine, network, cache } = process;
  switch (fault.fault) {
    case "accident":
      return network.plan(fault);
    case "stall":
      return network.stall(fault.way, fault.ms);
    case "break":
      return network.break(fault.rest, fault.lateMs);
    case "mute":
      return cache.mute(fault.ms);
    case "pause":
      return machine.pause(fault.ms);
    case "suspend":
      if (process.wallWentBack) return;
      process.slept = true;
      return machine.suspend(fault.ms);
    case "jump":
      if (fault.ms < 0 && process.slept) return;
      if (fault.ms < 0) process.wallWentBack = true;
      return machine.jumpWall(fault.ms);
    case "drift":
      return machine.drift(fault.to);
    case "kill":
      process.kill();
      return onKill(process);
  }
}
