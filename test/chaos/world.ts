import { createMemoryCache } from "../../src/cache/memory/index.ts";
import { type FenceGate, fenceGate, StaleFenceError } from "../../src/primitives/lock/fence-gate.ts";
import type { Report } from "./crew/settings.ts";
import { nowMs } from "./journal.ts";

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

export const SIGNS = ["lock", "leader", "effect", "answer"] as const;
/** What shows that somebody gets on. */
export type Sign = (typeof SIGNS)[number];

/**
 * Where effects happen: out of reach of the store and of its faults. Resources check fencing tokens, with a gate over a
 * store of their own; effects are counted.
 */
export class World {
  readonly writes: Write[] = [];
  readonly effects: Effect[] = [];
  readonly handled: Set<string> = new Set();
  /** When each thing was last seen to get on. */
  readonly lastSeen: Record<Sign, number> = { lock: 0, leader: 0, effect: 0, answer: 0 };
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
        this.#see("effect");
        break;
      case "handled":
        this.handled.add(report.message);
        break;
      case "answered":
        this.#see("answer");
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
    this.#see(resource.startsWith("lock") ? "lock" : "leader");
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

  #see(sign: Sign): void {
    this.lastSeen[sign] = nowMs();
  }
}
