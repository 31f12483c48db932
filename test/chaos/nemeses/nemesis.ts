import type { Random } from "../../simulation/kernel/random.ts";
import type { Member } from "../crew/member.ts";
import type { Stage } from "../stages/stage.ts";

/** What the store does with writes that it has acknowledged. */
export type Keeping =
  /** It keeps them. */
  | "kept"
  /** It loses all of them, at one moment. */
  | "wiped"
  /** It loses the last of them, or takes some that will be lost. */
  | "truncated";

/** Something bad that happens. */
export interface Nemesis {
  readonly name: string;
  readonly befalls: "crew" | "store";
  readonly acknowledged: Keeping;
  /** Whether another server is the primary afterwards. */
  readonly replaces?: boolean;
  /** Does it, waits, and puts everything back. Resolves to what was hit; rejects if nothing was. */
  strike(scene: Scene): Promise<string>;
}

export interface Scene {
  readonly stage: Stage;
  readonly crew: readonly Member[];
  readonly random: Random;
  /** Of leases. */
  readonly ttlMs: number;
  /** Who has written to a resource last: most faults are to hit it. */
  readonly holder: () => Member | undefined;
}

/** One time that a nemesis has struck. */
export interface Strike {
  readonly nemesis: string;
  readonly acknowledged: Keeping;
  readonly from: number;
  readonly until: number;
  /** What it hit. */
  readonly hit: string;
  /** How long after its end it took until each thing had got on; `Infinity`: longer than anybody waited. */
  readonly recoveredMs: Readonly<Record<string, number>>;
}

/** The holder, more often than not, or anybody who is at work. */
export async function victim({ crew, random, holder }: Scene): Promise<Member> {
  const holding = holder();
  const ready = crew.filter(({ isReady }) => isReady);
  const anybody = ready[Math.floor(random.next() * ready.length)];
  const found = random.next() < 0.8 && holding?.isReady ? holding : anybody;
  if (found === undefined) throw new Error("nobody is at work");
  return found;
}

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}
