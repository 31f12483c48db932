import type { Clock } from "../../runtime/clock.ts";
import type { CacheOperation } from "../contract.ts";
import { Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Call, KeyCall } from "./request.ts";
import type { Capabilities } from "./server.ts";
import type { Subscriber } from "./subscriber.ts";
import { Watches } from "./watches.ts";

export interface RedisStoreOptions {
  readonly clock: Clock;
  readonly connection: Connection<Capabilities>;
  readonly subscriber: Subscriber;
  /** In which the keys are; a message goes to all databases alike. */
  readonly database: number;
  /** Whether another connection may lead to another server: then the subscriber has to follow. */
  readonly mayMove: boolean;
}

/** A server, or a cluster, and what all caches on it share: the connection, the subscriber, the watched keys. */
export class RedisStore {
  readonly commands: Commands;
  readonly watches: Watches;
  readonly #connection: Connection<Capabilities>;

  constructor({ clock, connection, subscriber, database, mayMove }: RedisStoreOptions) {
    this.#connection = connection;
    const channelOf = (fullKey: string): string => `holdfast:${database}:${fullKey}`;
    this.commands = new Commands(connection, channelOf);
    const readRemainingMs = (key: string, fullKey: string): Promise<number> =>
      this.run(this.callOn("watch", key, fullKey), (call) => this.commands.remainingMs(call));
    this.watches = new Watches({
      clock,
      subscriber,
      channelOf,
      run: (call, start) => this.run(call, start),
      readRemainingMs,
    });
    connection.onReconnected = () => {
      if (mayMove) subscriber.renew();
      this.watches.wakeAll();
    };
  }

  get address(): string {
    return this.#connection.link.address;
  }

  get isConnected(): boolean {
    return this.#connection.link.isOpen;
  }

  /** Whether commands take effect in the order in which they are sent. */
  get isOrdered(): boolean {
    return this.#connection.link.writesOnce;
  }

  /** A call about a key that begins now. */
  callOn(operation: CacheOperation, key: string, fullKey: string): KeyCall {
    return { operation, key, fullKey, deadlineMs: this.#connection.link.newDeadline() };
  }

  /** A call about no key that begins now. */
  call(operation: CacheOperation): Call {
    return { operation, key: undefined, fullKey: undefined, deadlineMs: this.#connection.link.newDeadline() };
  }

  /** Calls `start` when there is a connection. */
  run<C extends Call, T>(call: C, start: (call: C) => Promise<T>): Promise<T> {
    return this.#connection.link.run(call, start);
  }

  /** Lets what is under way finish, then disconnects. */
  async close(): Promise<void> {
    await this.watches.close();
    await this.#connection.close();
  }
}
