import type { Clock, Timer } from "../../runtime/clock.ts";

interface WatchedKey {
  readonly watches: Set<Watch>;
  timer: Timer | undefined;
}

/** One active watch. */
export interface Watch {
  readonly key: string;
  /** Whether `end` has not been called. */
  readonly active: boolean;
  /** Ends it: `onChange` is not called again. Idempotent. */
  end(): void;
}

/**
 * Who watches which key, and one timer per watched key that holds an entry with
 * an expiry; unwatched keys have none.
 */
export class WatchedKeys {
  readonly #clock: Clock;
  readonly #expiryOf: (key: string) => number | undefined;
  readonly #keys = new Map<string, WatchedKey>();

  /**
   * @param expiryOf the monotonic time at which the entry of a key expires;
   *   `undefined` when there is none. When it finds that the entry has expired
   *   it calls `notify` by itself.
   */
  constructor(clock: Clock, expiryOf: (key: string) => number | undefined) {
    this.#clock = clock;
    this.#expiryOf = expiryOf;
  }

  add(key: string, onChange: () => void): Watch {
    const watched = this.#keys.get(key) ?? { watches: new Set(), timer: undefined };
    this.#keys.set(key, watched);
    const watch = new KeyWatch(key, onChange, (ended) => this.#end(ended, watched));
    watched.watches.add(watch);
    if (watched.watches.size === 1) this.rearm(key);
    return watch;
  }

  /** Called when the entry of a key, or its expiry, has changed: sets its timer anew. */
  rearm(key: string): void {
    const watched = this.#keys.get(key);
    if (watched === undefined) return;
    this.#disarm(watched);
    const expiresAtMs = this.#expiryOf(key);
    if (expiresAtMs === undefined || expiresAtMs === Number.POSITIVE_INFINITY) return;
    // A timer of Node may run a fraction of a millisecond early; then the entry
    // is still there, and the timer is set again for the rest.
    const delayMs = Math.ceil(expiresAtMs - this.#clock.monotonicMs());
    watched.timer = this.#clock.setTimer(() => this.rearm(key), delayMs);
  }

  /** Calls every watcher of a key, each in a microtask of its own, so that one that throws stops no other. */
  notify(key: string): void {
    const watched = this.#keys.get(key);
    if (watched === undefined) return;
    for (const watch of watched.watches) queueMicrotask(() => (watch as KeyWatch).call());
  }

  #end(watch: Watch, watched: WatchedKey): void {
    watched.watches.delete(watch);
    if (watched.watches.size > 0) return;
    this.#disarm(watched);
    this.#keys.delete(watch.key);
  }

  #disarm(watched: WatchedKey): void {
    if (watched.timer === undefined) return;
    this.#clock.clearTimer(watched.timer);
    watched.timer = undefined;
  }
}

class KeyWatch implements Watch {
  readonly key: string;
  readonly #onChange: () => void;
  readonly #onEnd: (watch: Watch) => void;
  active = true;

  constructor(key: string, onChange: () => void, onEnd: (watch: Watch) => void) {
    this.key = key;
    this.#onChange = onChange;
    this.#onEnd = onEnd;
  }

  call(): void {
    if (this.active) this.#onChange();
  }

  end(): void {
    if (!this.active) return;
    this.active = false;
    this.#onEnd(this);
  }
}
