import { copyBytes } from "../bytes.ts";
import type { GetOrSetResult } from "../contract.ts";
import { HoldfastError } from "../errors.ts";
import type { CommandArgument } from "./client.ts";
import type { Connection } from "./connection.ts";
import { isReplyError, isUnavailable, replyCode } from "./failures.ts";
import type { Call, KeyCall } from "./request.ts";
import { DELETE_IF_EQUAL, GET_OR_SET, REPLACE_IF_EQUAL, type Script } from "./scripts.ts";
import type { Capabilities } from "./server.ts";

/** A compare-and-set, with bytes that nobody else can change. */
export interface Swap {
  readonly expected: Buffer | null;
  readonly next: Buffer | null;
  readonly ttlMs: number;
  /** Whether watchers are told. */
  readonly announce: boolean;
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
  readonly #channelOf: (fullKey: string) => string;

  /** @param channelOf where changes of a key are announced */
  constructor(connection: Connection<Capabilities>, channelOf: (fullKey: string) => string) {
    this.#connection = connection;
    this.#channelOf = channelOf;
  }

  get(call: KeyCall): Promise<Uint8Array | undefined> {
    return this.#send(call, "GET", [call.fullKey], toValue);
  }

  set(call: KeyCall, value: Buffer, ttlMs: number): Promise<void> {
    return this.#send(call, "SET", [call.fullKey, value, ...px(ttlMs)], toNothing);
  }

  delete(call: KeyCall): Promise<boolean> {
    return this.#send(call, "DEL", [call.fullKey], isOne);
  }

  getOrSet(call: KeyCall, value: Buffer, ttlMs: number): Promise<GetOrSetResult> {
    const capabilities = this.#connection.greeting;
    const toResult = (reply: unknown): GetOrSetResult => {
      const existing = toValue(reply);
      return existing === undefined ? { value: copyBytes(value), wasSet: true } : { value: existing, wasSet: false };
    };
    const byScript = (): Promise<GetOrSetResult> =>
      this.#runScript(call, GET_OR_SET, [GET_OR_SET.sha1, "1", call.fullKey, value, ttlArgument(ttlMs)], toResult);

    if (!capabilities.getOrSet) return byScript();
    const args = [call.fullKey, value, "NX", "GET", ...px(ttlMs)];
    return this.#send(call, "SET", args, toResult).catch((error: unknown) => {
      if (!isUnavailable(error)) throw error;
      capabilities.getOrSet = false;
      return byScript();
    });
  }

  compareAndSet(call: KeyCall, { expected, next, ttlMs, announce }: Swap): Promise<boolean> {
    const channel = announce ? this.#channelOf(call.fullKey) : "";
    if (expected === null) return this.#setIfAbsent(call, next as Buffer, ttlMs, channel);
    if (next === null) return this.#deleteIfEqual(call, expected, channel);
    return this.#replaceIfEqual(call, expected, next, ttlMs, channel);
  }

  /** What is left of the key's TTL, {@link NO_EXPIRY} or {@link ABSENT}. */
  remainingMs(call: KeyCall): Promise<number> {
    return this.#send(call, "PTTL", [call.fullKey], Number);
  }

  ping(call: Call): Promise<void> {
    return this.#send(call, "PING", [], toNothing);
  }

  #setIfAbsent(call: KeyCall, next: Buffer, ttlMs: number, channel: string): Promise<boolean> {
    const answer = this.#send(call, "SET", [call.fullKey, next, "NX", ...px(ttlMs)], isOk);
    this.#announce(call, channel, announcement(ttlMs));
    return answer;
  }

  #replaceIfEqual(call: KeyCall, expected: Buffer, next: Buffer, ttlMs: number, channel: string): Promise<boolean> {
    const capabilities = this.#connection.greeting;
    const byScript = (): Promise<boolean> => {
      const { sha1 } = REPLACE_IF_EQUAL;
      const args = [sha1, "1", call.fullKey, expected, next, ttlArgument(ttlMs), channel, announcement(ttlMs)];
      return this.#runScript(call, REPLACE_IF_EQUAL, args, isOne);
    };
    if (!capabilities.replaceIfEqual) return byScript();
    const answer = this.#send(call, "SET", [call.fullKey, next, "IFEQ", expected, ...px(ttlMs)], isOk);
    this.#announce(call, channel, announcement(ttlMs));
    return answer.catch((error: unknown) => {
      if (!isUnavailable(error)) throw error;
      capabilities.replaceIfEqual = false;
      return byScript();
    });
  }

  #deleteIfEqual(call: KeyCall, expected: Buffer, channel: string): Promise<boolean> {
    const capabilities = this.#connection.greeting;
    const byScript = (): Promise<boolean> => {
      const args = [DELETE_IF_EQUAL.sha1, "1", call.fullKey, expected, channel, String(ABSENT)];
      return this.#runScript(call, DELETE_IF_EQUAL, args, isOne);
    };

    const command = capabilities.deleteIfEqual;
    if (command === undefined) return byScript();
    const args = command === "DELEX" ? [call.fullKey, "IFEQ", expected] : [call.fullKey, expected];
    const answer = this.#send(call, command, args, isOne);
    this.#announce(call, channel, String(ABSENT));
    return answer.catch((error: unknown) => {
      if (!isUnavailable(error)) throw error;
      capabilities.deleteIfEqual = undefined;
      return byScript();
    });
  }

  #announce(call: KeyCall, channel: string, message: string): void {
    const capabilities = this.#connection.greeting;
    if (channel === "" || !capabilities.publish) return;
    this.#send(call, "PUBLISH", [channel, message], toNothing).catch((error: unknown) => {
      // Not worth an error: the change itself was applied. Nor worth trying again on this connection.
      if (isRefusal(error, "NOPERM")) capabilities.publish = false;
    });
  }

  /** `args` are those of `EVALSHA`: the script's digest, the count of keys, the key, and what the script asks for. */
  #runScript<T>(call: KeyCall, script: Script, args: CommandArgument[], parse: (reply: unknown) => T): Promise<T> {
    const byText = (): Promise<T> => this.#send(call, "EVAL", [script.source, ...args.slice(1)], parse);
    if (!this.#connection.greeting.scriptsLoaded) return byText();
    return this.#send(call, "EVALSHA", args, parse).catch((error: unknown) => {
      if (!isRefusal(error, "NOSCRIPT")) throw error;
      return byText();
    });
  }

  #send<T>(call: Call, name: string, args: CommandArgument[], parse: (reply: unknown) => T): Promise<T> {
    return this.#connection.link.send(call, name, args, parse);
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
