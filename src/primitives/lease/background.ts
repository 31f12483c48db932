import type { Clock } from "../../runtime/clock.ts";
import type { Grant } from "./acquisition.ts";
import { persist } from "./persist.ts";
import type { Seeker } from "./seeker.ts";

/** What is under way that nobody waits for: above all, taking back what nobody wants any more. */
export class Background {
  readonly #clock: Clock;
  /** Made for the first of it, since most lines have none. */
  #work: Set<Promise<void>> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param work that never rejects */
  add(work: Promise<void>): void {
    this.#work ??= new Set();
    this.#work.add(work);
    void work.finally(() => this.#work?.delete(work));
  }

  /** Takes back what attempts of unknown outcome may have left in the store. */
  takeBack({ acquisition }: Seeker): void {
    if (acquisition.uncertain) this.add(persist(this.#clock, () => acquisition.takeBack()));
  }

  /** Gives back what was granted to somebody who does not want it any more. */
  giveBack({ acquisition }: Seeker, grant: Grant): void {
    this.add(persist(this.#clock, () => acquisition.giveBack(grant)));
  }

  /** Resolves when nothing is under way any more, provided that nothing is added. */
  async settled(): Promise<void> {
    while (this.#work?.size) await Promise.all(this.#work);
  }
}
