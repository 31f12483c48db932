/**
 * Errors as results. What survives: name, message, `code`, own enumerable
 * properties that CBOR can hold, `cause` and the `errors` of an `AggregateError`.
 * What does not: the stack, and the class, unless it is one of the language's own.
 */

import { describe } from "../../cache/checks.ts";
import type { Codec } from "../../cache/codec/codec.ts";
import { CodecError } from "../../cache/errors.ts";

/** An error as data. `thrown` stands for what was thrown and is no error. */
type ErrorData = Thrown | ErrorFields;

interface Thrown {
  readonly thrown: unknown;
}

interface ErrorFields {
  readonly name: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: ErrorData;
  readonly errors?: readonly ErrorData[];
}

/** Causes of causes are followed this deep, and no further. */
const MAX_DEPTH = 8;
const MAX_TEXT_LENGTH = 8_192;

/** How many more errors are taken: one that has itself among its `errors` would otherwise double with each level. */
interface Room {
  left: number;
}
const MAX_ERRORS = 100;

const NATIVE: ReadonlyMap<string, new (message: string) => Error> = new Map(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((native) => [native.name, native]),
);

/** What is kept elsewhere, or must not be overwritten. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "name",
  "message",
  "stack",
  "cause",
  "errors",
  "replayed",
  "__proto__",
]);

/** Encodes what a handler threw. Whatever does not fit is left out, name and message last. Never throws. */
export function encodeError(error: unknown, codec: Codec, shortest: Codec): Uint8Array {
  try {
    return codec.encode(toData(error, codec, MAX_DEPTH, { left: MAX_ERRORS }));
  } catch {
    return shortest.encode(nameAndMessage(error));
  }
}

/**
 * The error that a replay throws; its `replayed` is `true`.
 *
 * @throws CodecError if the bytes are no error as {@link encodeError} writes it
 */
export function decodeError(bytes: Uint8Array, codec: Codec): Error {
  const data = codec.decode(bytes);
  if (!isErrorData(data)) throw new CodecError("decode: that is no error-value", { operation: "decode" });
  const error = fromData(data);
  const replayed = error instanceof Error ? error : new Error(`the handler threw ${inWords(error)}`, { cause: error });
  define(replayed, "replayed", true);
  return replayed;
}

export function isReplayed(error: unknown): boolean {
  return error instanceof Error && (error as { replayed?: unknown }).replayed === true;
}

function toData(error: unknown, codec: Codec, depth: number, room: Room): ErrorData {
  room.left -= 1;
  if (!(error instanceof Error)) return { thrown: ifEncodable(error, codec) ?? inWords(error) };
  const data = ownData(error, codec);
  const fields: ErrorFields = {
    ...nameAndMessage(error),
    ...(Object.keys(data).length === 0 ? {} : { data }),
  };
  if (depth === 0) return fields;
  const { errors } = error as { errors?: unknown };
  return {
    ...fields,
    ...(error.cause === undefined ? {} : { cause: toData(error.cause, codec, depth - 1, room) }),
    ...(Array.isArray(errors)
      ? { errors: errors.slice(0, Math.max(0, room.left)).map((one) => toData(one, codec, depth - 1, room)) }
      : {}),
  };
}

function nameAndMessage(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { name: "Error", message: `the handler threw ${typeof error}` };
  return { name: text(error, "name"), message: text(error, "message") };
}

/** Not every error is made by `new Error`: a property of it may be anything, and its getter may throw. */
function text(error: Error, property: "name" | "message"): string {
  try {
    return inWords(error[property]).slice(0, MAX_TEXT_LENGTH).toWellFormed();
  } catch {
    return "unreadable";
  }
}

function inWords(value: unknown): string {
  return typeof value === "string" ? value : describe(value);
}

function ownData(error: Error, codec: Codec): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  // `code` may stand in the class or be hidden.
  for (const name of new Set([...Object.keys(error), "code"])) {
    if (OWN_FIELDS.has(name) || !name.isWellFormed()) continue;
    const value = ifEncodable((error as unknown as Record<string, unknown>)[name], codec);
    if (value !== undefined) data[name] = value;
  }
  return data;
}

function ifEncodable(value: unknown, codec: Codec): unknown {
  try {
    codec.encode(value);
    return value;
  } catch {
    return undefined;
  }
}

function isErrorData(value: unknown): value is ErrorData {
  if (typeof value !== "object" || value === null) return false;
  if (isThrown(value)) return true;
  const { name, message, data = {}, cause, errors = [] } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    typeof message === "string" &&
    typeof data === "object" &&
    data !== null &&
    (cause === undefined || isErrorData(cause)) &&
    Array.isArray(errors) &&
    errors.every(isErrorData)
  );
}

function isThrown(value: object): value is Thrown {
  return Object.hasOwn(value, "thrown");
}

function fromData(stored: ErrorData): unknown {
  if (isThrown(stored)) return stored.thrown;
  const { name, message, data = {}, cause, errors } = stored;
  const error = errors ? new AggregateError(errors.map(fromData), message) : new (NATIVE.get(name) ?? Error)(message);
  if (error.name !== name) define(error, "name", name, false);
  if (cause !== undefined) define(error, "cause", fromData(cause), false);
  for (const [key, value] of Object.entries(data)) {
    if (!OWN_FIELDS.has(key)) define(error, key, value);
  }
  return error;
}

function define(error: Error, property: string, value: unknown, enumerable = true): void {
  Object.defineProperty(error, property, { value, enumerable, configurable: true, writable: true });
}
