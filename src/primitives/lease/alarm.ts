import type { Clock } from "../../runtime/clock.ts";

/** A sleep that others can end, also before it has begun. */
export class Alarm {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the sleep; if nobody sleeps, the next sleep ends at once. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Forgets a ring that came too early to matter. */
  silence(): void {
    this.#rung = false;
  }

  /** Resolves when the alarm rings, or after `ms`. */
  async sleep(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.setTimer(resolve, ms);
        this.#wake = () => {
          this.#clock.clearTimer(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
