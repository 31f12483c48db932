import { type Codec, createCodec } from "../../cache/codec/codec.ts";
import { CodecError } from "../../cache/errors.ts";
import { IdempotencyResultError } from "./errors.ts";
import type { FinishedRecord, StoredResult } from "./record.ts";
import { decodeError, encodeError } from "./stored-error.ts";

const MAX_ITEMS = 10_000_000;

/** Reads what was written under whatever limit. */
const reader = createCodec({ maxBytes: 256 * 1024 * 1024, maxItems: MAX_ITEMS });

/** For an error of which only name and message are kept, however little `maxResultBytes` allows. */
const shortest = createCodec({ maxBytes: 64 * 1024 });

/** Writes results of at most `maxBytes`. */
export function resultCodec(maxBytes: number): Codec {
  return createCodec({ maxBytes, maxItems: MAX_ITEMS });
}

/** A result as it is kept, and why it is not if it cannot be. */
export function storeValue(value: unknown, codec: Codec): { readonly result: StoredResult; readonly error?: unknown } {
  try {
    return { result: { bytes: codec.encode(value) } };
  } catch (error) {
    // Or whatever a getter in it threw.
    const isTooLarge = error instanceof CodecError && error.code === "ERR_CODEC_TOO_LARGE";
    return { result: { omitted: isTooLarge ? "too-large" : "unencodable" }, error };
  }
}

/** What a handler threw, as it is kept. */
export function storeError(error: unknown, codec: Codec): StoredResult {
  return { bytes: encodeError(error, codec, shortest) };
}

/**
 * The recorded value, decoded anew for each caller; throws the recorded error.
 *
 * @throws IdempotencyResultError if none was kept
 * @throws CodecError if what was kept cannot be read
 */
export function replay({ state, result }: FinishedRecord, name: string, key: string): unknown {
  const about = `idempotent "${name}", key "${key}"`;
  if ("omitted" in result) {
    const why = result.omitted === "too-large" ? "was too large" : "could not be encoded";
    throw new IdempotencyResultError(`${about}: the handler has run, but its result ${why} and was not kept`, {
      key,
      operation: "idempotent",
      reason: result.omitted,
    });
  }
  const read = state === "failed" ? decodeError : decodeValue;
  let outcome: unknown;
  try {
    outcome = read(result.bytes, reader);
  } catch (error) {
    const problem = (error as Error).message;
    throw new CodecError(`${about}: the recorded result cannot be read (${problem}); forget() removes it`, {
      key,
      operation: "idempotent",
      cause: error,
    });
  }
  if (state === "failed") throw outcome;
  return outcome;
}

function decodeValue(bytes: Uint8Array, codec: Codec): unknown {
  return codec.decode(bytes);
}
