import type { CacheOperation, GetOrSetResult } from "../contract.ts";
import { HoldfastError } from "../errors.ts";
import type { CommandArgument } from "./client.ts";
import type { Connection } from "./connection.ts";
import { isReplyError, isUnknownCommand, replyCode } from "./failures.ts";
import { DELETE_IF_EQUAL, GET_OR_SET, REPLACE_IF_EQUAL, type Script } from "./scripts.ts";
import type { Capabilities } from "./server.ts";

/** One operation: what it is about, and until when it may take. */
export interface Call {
  readonly operation: CacheOperation;
  /** As the caller knows it. */
  readonly key: string;
  /** As the server knows it. */
  readonly fullKey: string;
  readonly deadlineMs: number;
}

/** A compare-and-set, with bytes that nobody else can change. */
export interface Swap {
  readonly expected: Uint8Array | null;
  readonly next: Uint8Array | null;
  readonly ttlMs: number;
  /** Where the change is announced; empty: nowhere. */
  readonly channel: string;
}

/** What `PTTL` answers: milliseconds, or one of these. */
export const NO_EXPIRY = -1;
export const ABSENT = -2;

/**
 * The operations as commands. Each sends its commands at once, so that the order
 * of calls is the order of commands.
 *
 * | operation | command | otherwise |
 * |---|---|---|
 * | `getOrSet` | `SET … NX GET` | a script |
 * | `compareAndSet` absent → value | `SET … NX` | |
 * | `compareAndSet` value → value | `SET … IFEQ` | a script |
 * | `compareAndSet` value → absent | `DELIFEQ`, `DELEX … IFEQ` | a script |
 *
 * A script announces the change itself. A native command is followed by a
 * `PUBLISH` in the same write, whether or not it will have changed something:
 * watchers are promised hints, and no round trip is lost.
 */
export class Commands {
  readonly #connection: Connection<Capabilities>;

  constructor(connection: Connection<Capabilities>) {
    this.#connection = connection;
  }

  get(call: Call): Promise<Uint8Array | undefined> {
    return this.#send(call, "GET", [call.fullKey], toValue);
  }

  set(call: Call, value: Uint8Array, ttlMs: number): Promise<void> {
    return this.#send(call, "SET", [call.fullKey, toBuffer(value), ...px(ttlMs)], toNothing);
  }

  delete(call: Call): Promise<boolean> {
    return this.#send(call, "DEL", [call.fullKey], isOne);
  }

  getOrSet(call: Call, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    const capabilities = this.#connection.greeting;
    const toResult = (reply: unknown): GetOrSetResult => {
      const existing = toValue(reply);
      return existing === undefined ? { value, wasSet: true } : { value: existing, wasSet: false };
    };
    const byScript = (): Promise<GetOrSetResult> =>
      this.#runScript(call, GET_OR_SET, [toBuffer(value), ttlArgument(ttlMs)], toResult);

    if (!capabilities.getOrSet) return byScript();
    const args = [call.fullKey, toBuffer(value), "NX", "GET", ...px(ttlMs)];
    return this.#send(call, "SET", args, toResult).catch((error: unknown) => {
      if (!isUnknownCommand(error)) throw error;
      capabilities.getOrSet = false;
      return byScript();
    });
  }

  compareAndSet(call: Call, { expected, next, ttlMs, channel }: Swap): Promise<boolean> {
    if (expected === null) return this.#setIfAbsent(call, next as Uint8Array, ttlMs, channel);
    if (next === null) return this.#deleteIfEqual(call, toBuffer(expected), channel);
    return this.#replaceIfEqual(call, toBuffer(expected), toBuffer(next), ttlMs, channel);
  }

  /** What is left of the key's TTL, {@link NO_EXPIRY} or {@link ABSENT}. */
  remainingMs(call: Call): Promise<number> {
    return this.#send(call, "PTTL", [call.fullKey], Number);
  }

  ping(call: Call): Promise<void> {
    return this.#send(call, "PING", [], toNothing);
  }

  #setIfAbsent(call: Call, next: Uint8Array, ttlMs: number, channel: string): Promise<boolean> {
    const answer = this.#send(call, "SET", [call.fullKey, toBuffer(next), "NX", ...px(ttlMs)], isOk);
    this.#announce(call, channel, announcement(ttlMs));
    return answer;
  }

  #replaceIfEqual(call: Call, expected: Buffer, next: Buffer, ttlMs: number, channel: string): Promise<boolean> {
    const capabilities = this.#connection.greeting;
    const byScript = (): Promise<boolean> => {
      const args = [expected, next, ttlArgument(ttlMs), channel, announcement(ttlMs)];
      return this.#runScript(call, REPLACE_IF_EQUAL, args, isOne);
    };
    if (!capabilities.replaceIfEqual) return byScript();
    const answer = this.#send(call, "SET", [call.fullKey, next, "IFEQ", expected, ...px(ttlMs)], isOk);
    this.#announce(call, channel, announcement(ttlMs));
    return answer.catch((error: unknown) => {
      if (!isUnknownCommand(error)) throw error;
      capabilities.replaceIfEqual = false;
      return byScript();
    });
  }

  #deleteIfEqual(call: Call, expected: Buffer, channel: string): Promise<boolean> {
    const capabilities = this.#connection.greeting;
    const byScript = (): Promise<boolean> =>
      this.#runScript(call, DELETE_IF_EQUAL, [expected, channel, String(ABSENT)], isOne);

    const command = capabilities.deleteIfEqual;
    if (command === undefined) return byScript();
    const args = command === "DELEX" ? [call.fullKey, "IFEQ", expected] : [call.fullKey, expected];
    const answer = this.#send(call, command, args, isOne);
    this.#announce(call, channel, String(ABSENT));
    return answer.catch((error: unknown) => {
      if (!isUnknownCommand(error)) throw error;
      capabilities.deleteIfEqual = undefined;
      return byScript();
    });
  }

  #announce(call: Call, channel: string, message: string): void {
    const capabilities = this.#connection.greeting;
    if (channel === "" || !capabilities.publish) return;
    this.#send(call, "PUBLISH", [channel, message], toNothing).catch((error: unknown) => {
      // Not worth an error: the change itself was applied. Nor worth trying again on this connection.
      if (isRefusal(error, "NOPERM")) capabilities.publish = false;
    });
  }

  #runScript<T>(call: Call, script: Script, args: CommandArgument[], parse: (reply: unknown) => T): Promise<T> {
    const capabilities = this.#connection.greeting;
    const keysAndArgs = ["1", call.fullKey, ...args];
    const byText = (): Promise<T> => this.#send(call, "EVAL", [script.source, ...keysAndArgs], parse);
    if (!capabilities.scriptsLoaded) return byText();
    return this.#send(call, "EVALSHA", [script.sha1, ...keysAndArgs], parse).catch((error: unknown) => {
      if (!isRefusal(error, "NOSCRIPT")) throw error;
      return byText();
    });
  }

  #send<T>(call: Call, name: string, args: CommandArgument[], parse: (reply: unknown) => T): Promise<T> {
    const { operation, key, fullKey, deadlineMs } = call;
    return this.#connection.link.send({ operation, key, name, args, slotKey: fullKey, parse }, deadlineMs);
  }
}

function px(ttlMs: number): string[] {
  return ttlMs === Number.POSITIVE_INFINITY ? [] : ["PX", String(ttlMs)];
}

function ttlArgument(ttlMs: number): string {
  return ttlMs === Number.POSITIVE_INFINITY ? "" : String(ttlMs);
}

/** What watchers are told: what `PTTL` would answer now. */
function announcement(ttlMs: number): string {
  return String(ttlMs === Number.POSITIVE_INFINITY ? NO_EXPIRY : ttlMs);
}

/** ioredis takes only a `Buffer` for bytes. The memory is shared. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy: the reply is a view of ioredis' read buffer, and would keep 64 KiB alive. */
function toValue(reply: unknown): Uint8Array | undefined {
  return reply === null ? undefined : new Uint8Array(reply as Buffer);
}

function isOk(reply: unknown): boolean {
  return reply !== null;
}

function isOne(reply: unknown): boolean {
  return Number(reply) === 1;
}

function toNothing(): void {}

function isRefusal(error: unknown, code: string): boolean {
  const cause = error instanceof HoldfastError ? error.cause : undefined;
  return isReplyError(cause) && replyCode(cause) === code;
}
