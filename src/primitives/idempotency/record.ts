import { createCodec } from "../../cache/codec/codec.ts";
import { isCount, isDuration, isTime } from "../lease/fields.ts";
import type { Claim } from "../lease/record.ts";

/**
 * What the key of a message holds. Written as CBOR; the CDDL is in
 * `docs/records.md`, so that programs in other languages can join in.
 */
export type MessageRecord = RunningRecord | FinishedRecord;

interface CommonRecord extends Claim {
  /** 1, or more when this run follows one that was seen to end without a result. */
  readonly attempt: number;
  /** SHA-256 of the input; absent if inputs are not compared. */
  readonly fingerprint: Uint8Array | undefined;
  /** When the claim was made, by the worker's wall clock, in milliseconds since the epoch. */
  readonly startedAtMs: number;
}

/** Somebody runs the handler. The TTL of the key is the lease: if the worker dies, the record goes. */
export interface RunningRecord extends CommonRecord {
  readonly state: "running";
  readonly ttlMs: number;
}

/** The handler has run. The TTL of the key is how long the result is kept. */
export interface FinishedRecord extends CommonRecord {
  /** `"failed"`: the handler threw, and its error is the result. */
  readonly state: "completed" | "failed";
  readonly finishedAtMs: number;
  /** How long the result is kept from then on; `Infinity` for ever. */
  readonly keptMs: number;
  readonly result: StoredResult;
}

/** An encoded result, or why there is none. Not decoded here, so that each caller can have its own copy. */
export type StoredResult = { readonly bytes: Uint8Array } | { readonly omitted: "too-large" | "unencodable" };

const VERSION = 1;
// How long a result may be is the guard's to say; a record that is there must be readable.
const codec = createCodec({ maxBytes: 256 * 1024 * 1024 });

export function encodeRecord(record: MessageRecord): Uint8Array {
  const { state, nonce, attempt, fencingToken, lastToken, fingerprint, startedAtMs } = record;
  const fields: Record<string, unknown> = { v: VERSION, state, nonce, attempt };
  if (fencingToken !== 0 || lastToken !== 0) {
    fields["token"] = fencingToken;
    fields["last"] = lastToken;
  }
  if (fingerprint !== undefined) fields["print"] = fingerprint;
  fields["at"] = startedAtMs;
  if (record.state === "running") fields["ttl"] = record.ttlMs;
  else addEnding(fields, record);
  return codec.encode(fields);
}

function addEnding(fields: Record<string, unknown>, { finishedAtMs, keptMs, result }: FinishedRecord): void {
  fields["end"] = finishedAtMs;
  fields["keep"] = keptMs;
  if ("bytes" in result) fields["result"] = result.bytes;
  else fields["omitted"] = result.omitted;
}

/** `undefined` for bytes that are no such record. */
export function decodeRecord(bytes: Uint8Array): MessageRecord | undefined {
  const fields = decodeFields(bytes);
  if (fields?.["v"] !== VERSION) return undefined;
  const common = readCommon(fields);
  return common && (fields["state"] === "running" ? readRunning(common, fields) : readFinished(common, fields));
}

type Fields = Readonly<Record<string, unknown>>;

function decodeFields(bytes: Uint8Array): Fields | undefined {
  try {
    const value = codec.decode(bytes);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function readCommon({ nonce, attempt, token = 0, last = 0, print, at }: Fields): CommonRecord | undefined {
  if (!(nonce instanceof Uint8Array) || !isCount(attempt) || !isCount(token) || !isCount(last)) return undefined;
  if (!isTime(at) || !(print === undefined || print instanceof Uint8Array)) return undefined;
  return {
    nonce,
    attempt,
    fencingToken: token,
    lastToken: last,
    startedAtMs: at,
    fingerprint: print,
  };
}

function readRunning(common: CommonRecord, { ttl }: Fields): RunningRecord | undefined {
  return isDuration(ttl) ? { ...common, state: "running", ttlMs: ttl } : undefined;
}

function readFinished(common: CommonRecord, fields: Fields): FinishedRecord | undefined {
  const { state, end, keep } = fields;
  const result = readResult(fields);
  if (state !== "completed" && state !== "failed") return undefined;
  if (!isTime(end) || !isDuration(keep) || result === undefined) return undefined;
  return { ...common, state, finishedAtMs: end, keptMs: keep, result };
}

function readResult({ result, omitted }: Fields): StoredResult | undefined {
  if (result instanceof Uint8Array) return { bytes: result };
  return omitted === "too-large" || omitted === "unencodable" ? { omitted } : undefined;
}
