/**
 * Every error that this library throws on purpose.
 *
 * Recognise an error by its `code` or with `instanceof`. `instanceof` compares a
 * mark that is the same in every copy of the package, so that two copies in one
 * process (a common accident of dependency trees) still understand each other.
 */

const MARK: unique symbol = Symbol.for("holdfast.error");

/** What an error was about; only what is known is set. */
export interface ErrorDetails {
  /** A more precise code than the class's own. */
  readonly code?: string | undefined;
  readonly cause?: unknown;
  /** The cache key, lock name or message key concerned. */
  readonly key?: string | undefined;
  /** The operation that failed: `get`, `compareAndSet`, `acquireLock`… */
  readonly operation?: string | undefined;
  /** The server concerned, never with its credentials. */
  readonly address?: string | undefined;
}

/** The base class. */
export class HoldfastError extends Error {
  static readonly kind: string = "HoldfastError";
  static readonly code: string = "ERR_HOLDFAST";

  /** `ERR_…`: stable across releases, unlike the message. */
  readonly code: string;
  declare readonly key?: string;
  declare readonly operation?: string;
  declare readonly address?: string;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code ?? new.target.code;
    if (details.key !== undefined) this.key = details.key;
    if (details.operation !== undefined) this.operation = details.operation;
    if (details.address !== undefined) this.address = details.address;
    hide(this, "name", new.target.kind);
    hide(this, MARK, kindsOf(new.target));
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A user's own subclass has no mark of its own: the prototype decides.
    if (!Object.hasOwn(this, "kind")) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== "object" || value === null) return false;
    const kinds: unknown = (value as { [MARK]?: unknown })[MARK];
    return Array.isArray(kinds) && kinds.includes(this.kind);
  }
}

function hide(error: Error, property: PropertyKey, value: unknown): void {
  Object.defineProperty(error, property, { value, enumerable: false, configurable: true });
}

function kindsOf(target: typeof HoldfastError): string[] {
  const kinds: string[] = [];
  for (let at = target; typeof at?.kind === "string"; at = Object.getPrototypeOf(at)) {
    if (!kinds.includes(at.kind)) kinds.push(at.kind);
  }
  return kinds;
}

/** The typed layer's `require`-style read found nothing under the key. */
export class NotFoundError extends HoldfastError {
  static override readonly kind: string = "NotFoundError";
  static override readonly code: string = "ERR_NOT_FOUND";
}

/** A typed read-modify-write lost the race more often than it was allowed to. Nothing was written. */
export class CasFailedError extends HoldfastError {
  static override readonly kind: string = "CasFailedError";
  static override readonly code: string = "ERR_CAS_FAILED";
}

/** The cache, coordinator or manager was closed before the call. */
export class ClosedError extends HoldfastError {
  static override readonly kind: string = "ClosedError";
  static override readonly code: string = "ERR_CLOSED";
}

/** A time to live was not a number above zero (or `Infinity`). Nothing was sent. */
export class InvalidTtlError extends HoldfastError {
  static override readonly kind: string = "InvalidTtlError";
  static override readonly code: string = "ERR_INVALID_TTL";
}

/** An option, environment variable or URL is wrong. Found before anything was sent. */
export class ConfigError extends HoldfastError {
  static override readonly kind: string = "ConfigError";
  static override readonly code: string = "ERR_CONFIG";
}

/** The store could not be reached, refused us, or is not one that takes writes. */
export class ConnectionError extends HoldfastError {
  static override readonly kind: string = "ConnectionError";
  static override readonly code: string = "ERR_CONNECTION";
}

/**
 * One store operation failed.
 *
 * | code | meaning |
 * |---|---|
 * | `ERR_CACHE_TIMEOUT` | no answer in time: the outcome is *unknown* |
 * | `ERR_CONNECTION_LOST` | the connection broke after sending: the outcome is *unknown* |
 * | `ERR_OPERATION` | the store answered with an error: nothing was written |
 * | `ERR_CACHE_FULL` | the store is out of room: nothing was written |
 * | `ERR_FENCE_EXHAUSTED` | the fence of a lock stands so high that there is no higher token: nothing was granted |
 * | `ERR_INVALID_KEY`, `ERR_INVALID_VALUE`, `ERR_INVALID_ARGUMENT` | bad input: nothing was sent |
 */
export class OperationError extends HoldfastError {
  static override readonly kind: string = "OperationError";
  static override readonly code: string = "ERR_OPERATION";
}

/**
 * Bytes could not be decoded within the codec's limits, or a value could not be
 * encoded; `ERR_CODEC_TOO_LARGE` if only because the encoding would exceed `maxBytes`.
 */
export class CodecError extends HoldfastError {
  static override readonly kind: string = "CodecError";
  static override readonly code: string = "ERR_CODEC";
}

/** True for faults that may pass by themselves: a broken connection, a timeout, a full or busy store. */
export function isStoreFault(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof OperationError && !error.code.startsWith("ERR_INVALID_");
}
