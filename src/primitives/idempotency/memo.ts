import { LRUCache } from "lru-cache";
import { copyBytes } from "../../cache/bytes.ts";
import { describe } from "../../cache/checks.ts";
import { ConfigError } from "../../cache/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { elapsedMs, type Instant } from "../../runtime/instant.ts";
import type { FinishedRecord } from "./record.ts";

export interface MemoOptions {
  /** How many bytes of results are kept, the least recently used going first. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long a result is believed in without asking the store, within what is left of its TTL. Default 60,000. */
  readonly maxAgeMs?: number | undefined;
}

export interface MemoSettings {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

const DEFAULTS: MemoSettings = { maxBytes: 16 * 1024 * 1024, maxAgeMs: 60_000 };

/** What an entry costs besides its result: an estimate. */
const ENTRY_BYTES = 256;

export function checkMemo(option: boolean | MemoOptions): MemoSettings | undefined {
  if (option === false) return undefined;
  if (option === true) return DEFAULTS;
  if (typeof option !== "object" || option === null) {
    throw new ConfigError(`memo is ${describe(option)}; it must be true, false or { maxBytes, maxAgeMs }`);
  }
  const { maxBytes = DEFAULTS.maxBytes, maxAgeMs = DEFAULTS.maxAgeMs } = option;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new ConfigError(`memo.maxBytes is ${describe(maxBytes)}; it must be a whole number, at least 1`);
  }
  if (typeof maxAgeMs !== "number" || !(maxAgeMs > 0)) {
    throw new ConfigError(`memo.maxAgeMs is ${describe(maxAgeMs)}; it must be a number of milliseconds above 0`);
  }
  return { maxBytes, maxAgeMs };
}

interface Entry {
  readonly record: FinishedRecord;
  readonly since: Instant;
  readonly validMs: number;
}

/** Finished records that this process has seen. They never change, except by expiry and by `forget`. */
export class Memo {
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #entries: LRUCache<string, Entry>;

  constructor(clock: Clock, { maxBytes, maxAgeMs }: MemoSettings) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.#entries = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  get(key: string): FinishedRecord | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (elapsedMs(this.#clock, entry.since) < entry.validMs) return entry.record;
    this.#entries.delete(key);
    return undefined;
  }

  /** @param since a moment before the store was asked or told */
  set(key: string, record: FinishedRecord, since: Instant): void {
    // When the record expires is known to the store alone; what clocks of two machines say of it is near enough,
    // since a result that is replayed a little after its TTL is still the result.
    const leftMs = record.finishedAtMs + record.keptMs - since.wallMs;
    const validMs = Math.min(leftMs, record.keptMs, this.#maxAgeMs);
    if (validMs > 0) this.#entries.set(key, { record: detached(record), since, validMs });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** What was just encoded lies among other bytes, which are not to be kept along with it. */
function detached(record: FinishedRecord): FinishedRecord {
  const { result } = record;
  return "bytes" in result ? { ...record, result: { bytes: copyBytes(result.bytes) } } : record;
}

function sizeOf({ record: { result } }: Entry, key: string): number {
  return ENTRY_BYTES + key.length + ("bytes" in result ? result.bytes.length : 0);
}
