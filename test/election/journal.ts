import { existsSync, openSync, readFileSync, writeSync } from "node:fs";

/**
 * What one term looked like from inside its process, in milliseconds of {@link nowMs}. It is written to a file as it
 * happens, so that nothing is lost when the process is killed.
 */
export interface TermEntry {
  readonly token: number;
  /** The first moment at which it was known to lead. */
  readonly from: number;
  /** The last moment at which it still took itself for the leader. */
  readonly until: number;
}

const FIELDS = ["token", "from", "until"] as const;
const ENTRY_BYTES = FIELDS.length * 8;

/** The terms of one process. */
export class Journal {
  readonly #file: number;
  #entries = 0;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  /** Begins an entry, and gives what writes its fields. */
  begin(token: number): (field: (typeof FIELDS)[number], value: number) => void {
    const start = this.#entries++ * ENTRY_BYTES;
    const bytes = Buffer.alloc(8);
    const write = (field: (typeof FIELDS)[number], value: number): void => {
      bytes.writeDoubleLE(value);
      writeSync(this.#file, bytes, 0, 8, start + FIELDS.indexOf(field) * 8);
    };
    // The last field first: an entry that was begun is complete.
    write("until", 0);
    write("token", token);
    return write;
  }
}

/** The terms in a file; none if its process was killed before it wrote any. */
export function readJournal(path: string): TermEntry[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const count = Math.floor(bytes.length / ENTRY_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const fields = FIELDS.map((name, at) => [name, bytes.readDoubleLE(index * ENTRY_BYTES + at * 8)]);
    return Object.fromEntries(fields) as unknown as TermEntry;
  });
}
