import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../simulation/kernel/random.ts";
import { nowMs } from "../support/shared-clock.ts";
import type { Member } from "./crew/member.ts";
import type { World } from "./world.ts";

const EVERY_MS = 150;
const AGAIN_AFTER_MS = 3_000;

/** Delivers messages to several members each, at least once: until somebody says that it has been dealt with. */
export class Post {
  /** Not yet dealt with, and when to deliver it again. */
  readonly #open = new Map<string, number>();
  readonly #world: World;
  readonly #crew: readonly Member[];
  readonly #random: Random;
  #sent = 0;

  constructor(world: World, crew: readonly Member[], random: Random) {
    this.#world = world;
    this.#crew = crew;
    this.#random = random;
  }

  get sent(): number {
    return this.#sent;
  }

  async deliver(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      this.#hand(`message-${++this.#sent}`);
      this.#repeat();
      await sleep(EVERY_MS);
    }
  }

  /** Delivers no new ones. Whether all have been dealt with. */
  finish(): boolean {
    this.#repeat();
    return this.#open.size === 0;
  }

  #hand(message: string): void {
    this.#open.set(message, nowMs() + AGAIN_AFTER_MS);
    const times = 2 + Math.floor(this.#random.next() * 3);
    for (let time = 0; time < times; time++) {
      const to = this.#crew[Math.floor(this.#random.next() * this.#crew.length)];
      const later = setTimeout(() => to?.deliver({ message }), this.#random.next() * 300 * time);
      later.unref();
    }
  }

  #repeat(): void {
    for (const [message, dueAt] of this.#open) {
      if (this.#world.handled.has(message)) this.#open.delete(message);
      else if (nowMs() > dueAt) this.#hand(message);
    }
  }
}
