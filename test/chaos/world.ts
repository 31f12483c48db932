import { createMemoryCache } from "../../src/cache/memory/index.ts";
import { type FenceGate, fenceGate, StaleFenceError } from "../../src/primitives/lock/fence-gate.ts";
import { nowMs } from "../support/shared-clock.ts";
import { ELECTION, LOCKS, REGISTERS, type Report } from "./crew/settings.ts";

/** A write that a resource was asked for, and whether it let it in. */
export interface Write {
  readonly at: number;
  readonly doneAt: number;
  readonly resource: string;
  readonly token: number;
  readonly accepted: boolean;
  /** Which tenure of which process asked for it. */
  readonly by: string;
}

/** Something that a message's handler has done, where it cannot be undone. */
export interface Effect {
  readonly at: number;
  readonly message: string;
  readonly run: string;
}

/** What shows that somebody gets on: each lock, the leader, messages, each register. */
export const SIGNS: readonly string[] = [
  ...LOCKS.map((name) => `lock ${name}`),
  `leader ${ELECTION}`,
  "messages",
  ...REGISTERS.map((name) => `register ${name}`),
];

/**
 * Where effects happen: out of reach of the store and of its faults. Resources check fencing tokens, with a gate over a
 * store of their own; effects are counted.
 */
export class World {
  readonly writes: Write[] = [];
  readonly effects: Effect[] = [];
  readonly handled: Set<string> = new Set();
  /** When each thing was last seen to get on. */
  readonly lastSeen: Map<string, number> = new Map(SIGNS.map((sign) => [sign, 0]));
  /** Who has written to a resource last. */
  lastWriter = "";
  readonly #cache = createMemoryCache();
  readonly #gates = new Map<string, FenceGate>();

  hear(report: Report, from: string): void {
    switch (report.type) {
      case "write":
        void this.#write(report.resource, report.token, `${from}#${report.id}`);
        break;
      case "effect":
        this.effects.push({ at: nowMs(), message: report.message, run: `${from}#${report.id}` });
        this.#see("messages");
        break;
      case "handled":
        this.handled.add(report.message);
        break;
      case "answered":
        this.#see(`register ${report.register}`);
        break;
      default:
    }
  }

  async close(): Promise<void> {
    await this.#cache.close();
  }

  async #write(resource: string, token: number, by: string): Promise<void> {
    const at = nowMs();
    const accepted = await this.#gateOf(resource)
      .admit(token)
      .then(
        () => true,
        (error: unknown) => {
          if (error instanceof StaleFenceError) return false;
          throw error;
        },
      );
    this.writes.push({ at, doneAt: nowMs(), resource, token, accepted, by });
    if (!accepted) return;
    this.#see(resource);
    this.lastWriter = by;
  }

  #gateOf(resource: string): FenceGate {
    let gate = this.#gates.get(resource);
    if (gate === undefined) {
      gate = fenceGate(this.#cache, resource);
      this.#gates.set(resource, gate);
    }
    return gate;
  }

  #see(sign: string): void {
    this.lastSeen.set(sign, nowMs());
  }
}
