import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import type { CacheInput, CacheOutput } from "../linearizability/models.ts";

/** What is held for a time: a lock, a leadership, or the claim on a message while its handler runs. */
export type Kind = "lock" | "leader" | "run";

/**
 * What a process writes down of what it does. `id` is unique within the process and ties together what belongs together;
 * `at` is a time of {@link nowMs}.
 */
export type Entry =
  /** An operation of the cache was called; it was answered, or failed. */
  | { readonly type: "call"; readonly id: number; readonly at: number; readonly input: CacheInput }
  | { readonly type: "answer"; readonly id: number; readonly at: number; readonly output: CacheOutput }
  | { readonly type: "failure"; readonly id: number; readonly at: number; readonly code: string }
  /** Somebody asks for something, has it, stops to rely on it; what was asked for may not be had. */
  | { readonly type: "ask"; readonly id: number; readonly at: number; readonly kind: Kind; readonly name: string }
  | { readonly type: "grant"; readonly id: number; readonly at: number; readonly token: number }
  | { readonly type: "over"; readonly id: number; readonly at: number }
  /** Its signal has aborted. */
  | { readonly type: "abort"; readonly id: number; readonly at: number; readonly code: string }
  /** How a run ended, as far as the guard of its message is concerned. */
  | { readonly type: "settled"; readonly id: number; readonly at: number; readonly how: RunEnd }
  /** A delivery got the result of some run, by its own or another process. */
  | {
      readonly type: "result";
      readonly at: number;
      readonly message: string;
      readonly run: string;
      readonly isReplayed: boolean;
    };

/**
 * - `recorded`: the caller got its result, and nothing was said against its having been recorded
 * - `unrecorded`: the caller got its result, and was told that the store could not be
 * - `lost`: the claim was lost before
 * - `failed`: the handler threw, on purpose
 */
export type RunEnd = "recorded" | "unrecorded" | "lost" | "failed";

/** The last moments at which something still counted as held. */
export interface Marks {
  /** By the clocks of its holder: `isHeld`, `isLeader`. */
  readonly heldUntil: number;
  /** By its signal, which had not aborted although the event loop was running. */
  readonly quietUntil: number;
}

const MARKS = ["heldUntil", "quietUntil"] as const;
const BYTES_PER_ID = MARKS.length * 8;

/**
 * The journal of one process. Whatever was written is in the file when the call returns, so that nothing is lost when the
 * process is killed.
 */
export class Journal {
  readonly #entries: number;
  readonly #marks: number;
  readonly #bytes = Buffer.alloc(8);
  #lastId = 0;

  constructor(path: string) {
    this.#entries = openSync(path, "w");
    this.#marks = openSync(marksOf(path), "w");
  }

  newId(): number {
    return ++this.#lastId;
  }

  write(entry: Entry): void {
    writeSync(this.#entries, `${JSON.stringify(entry)}\n`);
  }

  /** Overwrites the mark of what has this id. */
  mark(id: number, mark: keyof Marks, at: number): void {
    this.#bytes.writeDoubleLE(at);
    writeSync(this.#marks, this.#bytes, 0, 8, id * BYTES_PER_ID + MARKS.indexOf(mark) * 8);
  }

  close(): void {
    closeSync(this.#entries);
    closeSync(this.#marks);
  }
}

/** What one process wrote down; nothing if it was killed before it wrote anything. */
export interface Pages {
  readonly entries: readonly Entry[];
  readonly marks: ReadonlyMap<number, Marks>;
}

export function readPages(path: string): Pages {
  if (!existsSync(path)) return { entries: [], marks: new Map() };
  const lines = readFileSync(path, "utf8").split("\n");
  // A line that was being written when the process was killed has no end.
  const entries = lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
  return { entries, marks: readMarks(marksOf(path)) };
}

function readMarks(path: string): Map<number, Marks> {
  const marks = new Map<number, Marks>();
  if (!existsSync(path)) return marks;
  const bytes = readFileSync(path);
  const read = (at: number): number => (at + 8 <= bytes.length ? bytes.readDoubleLE(at) : 0);
  for (let id = 1; id * BYTES_PER_ID < bytes.length; id++) {
    const at = id * BYTES_PER_ID;
    marks.set(id, { heldUntil: read(at), quietUntil: read(at + 8) });
  }
  return marks;
}

function marksOf(path: string): string {
  return `${path}.marks`;
}
