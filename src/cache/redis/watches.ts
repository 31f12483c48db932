import type { Clock } from "../../runtime/clock.ts";
import type { Unwatch } from "../contract.ts";
import { ExpiryAlarm } from "./expiry-alarm.ts";
import type { Subscriber } from "./subscriber.ts";

export interface WatchesOptions {
  readonly clock: Clock;
  readonly subscriber: Subscriber;
  /** Stands before a key in the name of its channel. */
  readonly channelPrefix: string;
  /** What is left of a key's TTL, `NO_EXPIRY` or `ABSENT`. */
  readRemainingMs(key: string): Promise<number>;
}

interface Watch {
  readonly onChange: () => void;
  active: boolean;
}

/** A key that is watched, by however many. */
interface WatchedKey {
  readonly key: string;
  readonly channel: string;
  readonly watches: Set<Watch>;
  readonly subscribed: Promise<void>;
  readonly alarm: ExpiryAlarm;
}

/**
 * Who watches which key. What a compare-and-set changes is announced on the
 * key's channel, together with the new TTL; for an expiry there is an alarm. So
 * a watched key costs one `SUBSCRIBE` and one `PTTL`, however often it changes.
 */
export class Watches {
  readonly #options: WatchesOptions;
  /** By channel. */
  readonly #keys = new Map<string, WatchedKey>();

  constructor(options: WatchesOptions) {
    this.#options = options;
    options.subscriber.onMessage = (channel, message) => this.#onMessage(channel, message);
    options.subscriber.onGap = () => this.wakeAll();
  }

  /** How many keys are watched. */
  get size(): number {
    return this.#keys.size;
  }

  /** Resolves once the watch is active. */
  async add(key: string, onChange: () => void): Promise<Unwatch> {
    const channel = this.#options.channelPrefix + key;
    const watched = this.#keys.get(channel) ?? this.#begin(key, channel);
    const watch = { onChange, active: true };
    watched.watches.add(watch);
    try {
      await watched.subscribed;
    } catch (error) {
      this.#forget(watched);
      throw error;
    }
    return () => this.#end(watch, watched);
  }

  /** The key was found to hold a value. If it held none before, nothing is known of its expiry yet. */
  onFound(key: string): void {
    const watched = this.#keys.get(this.#options.channelPrefix + key);
    if (watched?.alarm.isIdle) void watched.alarm.look();
  }

  /** Something may have been missed: every watcher is called. */
  wakeAll(): void {
    for (const watched of this.#keys.values()) {
      notify(watched);
      void watched.alarm.look();
    }
  }

  async close(): Promise<void> {
    for (const watched of this.#keys.values()) this.#forget(watched);
    await this.#options.subscriber.close();
  }

  #begin(key: string, channel: string): WatchedKey {
    const { clock, subscriber, readRemainingMs } = this.#options;
    const watches = new Set<Watch>();
    const alarm = new ExpiryAlarm({
      clock,
      readRemainingMs: () => readRemainingMs(key),
      onExpired: () => notify({ watches }),
    });
    const watched = { key, channel, watches, alarm, subscribed: subscriber.subscribe(channel, key) };
    this.#keys.set(channel, watched);
    // At the same time, on the other connection: `watch` takes one round trip.
    void alarm.look();
    return watched;
  }

  async #end(watch: Watch, watched: WatchedKey): Promise<void> {
    if (!watch.active) return;
    watch.active = false;
    watched.watches.delete(watch);
    if (watched.watches.size > 0) return;
    this.#forget(watched);
    await this.#options.subscriber.unsubscribe(watched.channel, watched.key);
  }

  #forget(watched: WatchedKey): void {
    for (const watch of watched.watches) watch.active = false;
    watched.alarm.clear();
    if (this.#keys.get(watched.channel) === watched) this.#keys.delete(watched.channel);
  }

  #onMessage(channel: string, message: string): void {
    const watched = this.#keys.get(channel);
    if (watched === undefined) return;
    if (/^-?\d+$/.test(message)) watched.alarm.set(Number(message));
    else void watched.alarm.look();
    notify(watched);
  }
}

/** Each in a microtask of its own, so that one that throws stops no other. */
function notify({ watches }: Pick<WatchedKey, "watches">): void {
  for (const watch of watches) queueMicrotask(() => watch.active && watch.onChange());
}
