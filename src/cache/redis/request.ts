import slotOf from "cluster-key-slot";
import type { CacheOperation } from "../contract.ts";
import { type Command, type CommandArgument, type CommandClass, commandClassOf, type RedisClient } from "./client.ts";
import type { Bounded } from "./deadlines.ts";
import { encodeRequest } from "./resp.ts";

/** One operation of a cache, or what we do on our own behalf. */
export interface Call {
  readonly operation: CacheOperation | "connect";
  /** As the caller knows it; `undefined` when it is about no key. */
  readonly key: string | undefined;
  /** As the server knows it. Decides the node of a cluster; `undefined`: any. */
  readonly fullKey: string | undefined;
  /** On the clock's monotonic time. */
  readonly deadlineMs: number;
}

/** A call about a key. */
export interface KeyCall extends Call {
  readonly key: string;
  readonly fullKey: string;
}

/** One command on its way to the server: an ioredis command that knows whether it was written, and its deadline. */
export interface Request<T = unknown> extends Command, Bounded {
  readonly call: Call;
  readonly promise: Promise<T>;
  /** Whether the server may have executed it. */
  written: boolean;
  /** How many replies its owner had seen when it was sent. */
  seenReplies: number;
  /** Rejects the promise, whatever becomes of the command. Harmless once settled. */
  fail(error: Error): void;
}

/** Who sends requests. */
export interface RequestOwner {
  /** False for a cluster, where a node may ask for the command to be written to another one. */
  readonly writesOnce: boolean;
  /** The server has answered something. */
  onReply(): void;
  onSettled(request: Request): void;
  onExpired(request: Request): void;
  /** What the caller gets to see instead of a raw error. */
  translate(error: Error, request: Request): Error;
}

/**
 * `name` is in upper case: ioredis compares in lower case where it wants to be
 * clever, and we do not want it to (tracking `SELECT`, reading from replicas).
 */
export type RequestClass = new <T>(
  owner: RequestOwner,
  call: Call,
  name: string,
  args: CommandArgument[],
  parse: (reply: unknown) => T,
) => Request<T>;

/** Written in place of a request that nobody waits for any more: a command without effect. */
const NOTHING = "*1\r\n$4\r\nPING\r\n";

/** Ours need none of the conversions that ioredis' command makes of its arguments; it gets to see them afterwards. */
const NO_ARGUMENTS: CommandArgument[] = [];
const OPTIONS = { replyEncoding: null } as const;

const classes = new WeakMap<CommandClass, RequestClass>();

export function requestClassOf(client: RedisClient): RequestClass {
  const CommandOfClient = commandClassOf(client);
  const known = classes.get(CommandOfClient);
  if (known !== undefined) return known;
  const made = extend(CommandOfClient);
  classes.set(CommandOfClient, made);
  return made;
}

/**
 * What we add to ioredis' command:
 *
 * - It is written to one connection at most, and never once its promise has
 *   settled. Clients re-send what was in flight when a connection broke, and send
 *   what waited in a queue, however late; a write that turns up after its caller
 *   was told that it had failed could overwrite somebody else's.
 * - Its promise settles with our result and our errors, so that an operation
 *   costs no promise of its own.
 */
function extend(CommandOfClient: CommandClass): RequestClass {
  return class ExtendedCommand<T> extends CommandOfClient implements Request<T> {
    declare readonly promise: Promise<T>;
    readonly owner: RequestOwner;
    readonly call: Call;
    readonly parse: (reply: unknown) => T;
    readonly deadlineMs: number;
    readonly #reject: (error: Error) => void;
    earlier: Bounded | undefined = undefined;
    later: Bounded | undefined = undefined;
    written = false;
    settled = false;
    seenReplies = 0;

    constructor(owner: RequestOwner, call: Call, name: string, args: CommandArgument[], parse: (reply: unknown) => T) {
      super(name, NO_ARGUMENTS, OPTIONS);
      this.args = args;
      this.owner = owner;
      this.call = call;
      this.parse = parse;
      this.deadlineMs = call.deadlineMs;
      this.#reject = this.reject;
      // Called as a method, always.
      this.reject = this.fail;
    }

    fail(error: Error): void {
      if (this.settled) return;
      this.settled = true;
      this.owner.onSettled(this);
      this.#reject(this.owner.translate(error, this));
    }

    override getSlot(): number | null {
      return this.call.fullKey === undefined ? null : slotOf(this.call.fullKey);
    }

    override toWritable(): string | Buffer {
      if (this.settled || (this.written && this.owner.writesOnce)) return NOTHING;
      this.written = true;
      return encodeRequest(this.name, this.args);
    }

    override transformReply(reply: unknown): T | undefined {
      this.owner.onReply();
      if (this.settled) return undefined;
      const result = this.parse(reply);
      this.settled = true;
      this.owner.onSettled(this);
      return result;
    }

    expire(): void {
      this.owner.onExpired(this);
    }
  };
}
