import type { Clock } from "../../runtime/clock.ts";
import { NO_EXPIRY } from "./commands.ts";
import { ExpiryAlarm } from "./expiry-alarm.ts";
import type { KeyCall } from "./request.ts";
import type { Subscriber } from "./subscriber.ts";

export interface WatchesOptions {
  readonly clock: Clock;
  readonly subscriber: Subscriber;
  readonly channelOf: (fullKey: string) => string;
  /** Calls `start` when there is a connection to the store. */
  readonly run: (call: KeyCall, start: (call: KeyCall) => Promise<void>) => Promise<void>;
  /** What is left of a key's TTL, `NO_EXPIRY` or `ABSENT`. */
  readonly readRemainingMs: (key: string, fullKey: string) => Promise<number>;
}

/** One watch of one caller. */
export interface Watch {
  /** As the caller knows it. */
  readonly key: string;
  /** The callback is not called after the call to it. Idempotent. */
  end(): Promise<void>;
}

/** A key that is watched, by however many. */
interface WatchedKey {
  readonly channel: string;
  readonly callbacks: Set<() => void>;
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

  /** Resolves once the watch is active. */
  async add(call: KeyCall, onChange: () => void): Promise<Watch> {
    const channel = this.#options.channelOf(call.fullKey);
    const watched = this.#keys.get(channel) ?? this.#begin(call, channel);
    // A function of its own: the same `onChange` may watch twice.
    const callback = (): void => onChange();
    watched.callbacks.add(callback);
    try {
      await watched.subscribed;
    } catch (error) {
      this.#forget(watched);
      throw error;
    }
    return { key: call.key, end: () => this.#end(callback, watched, call.key) };
  }

  /** The key was found to hold a value. If it held none before, nothing is known of its expiry yet. */
  onFound(fullKey: string): void {
    if (this.#keys.size === 0) return;
    const watched = this.#keys.get(this.#options.channelOf(fullKey));
    if (watched?.alarm.isIdle) void watched.alarm.look();
  }

  /** The key was given a value by us: its TTL is known without a command. */
  onSet(fullKey: string, ttlMs: number): void {
    if (this.#keys.size === 0) return;
    const watched = this.#keys.get(this.#options.channelOf(fullKey));
    if (watched?.alarm.isIdle) watched.alarm.set(ttlMs === Number.POSITIVE_INFINITY ? NO_EXPIRY : ttlMs);
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

  #begin(call: KeyCall, channel: string): WatchedKey {
    const { clock, subscriber, run, readRemainingMs } = this.#options;
    const callbacks = new Set<() => void>();
    const alarm = new ExpiryAlarm({
      clock,
      readRemainingMs: () => readRemainingMs(call.key, call.fullKey),
      onExpired: () => notify({ callbacks }),
    });
    const subscribed = run(call, () => subscriber.subscribe(channel, call));
    const watched = { channel, callbacks, alarm, subscribed };
    this.#keys.set(channel, watched);
    // At the same time, on the other connection: a watch takes one round trip.
    void alarm.look();
    return watched;
  }

  async #end(callback: () => void, watched: WatchedKey, key: string): Promise<void> {
    const wasActive = watched.callbacks.delete(callback);
    if (!wasActive || watched.callbacks.size > 0) return;
    this.#forget(watched);
    await this.#options.subscriber.unsubscribe(watched.channel, key);
  }

  #forget(watched: WatchedKey): void {
    watched.callbacks.clear();
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
function notify({ callbacks }: Pick<WatchedKey, "callbacks">): void {
  for (const callback of callbacks) queueMicrotask(() => callbacks.has(callback) && callback());
}
