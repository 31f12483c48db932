import type { CacheInput, CacheOutput } from "../../linearizability/models.ts";
import { type Circumstances, type Evidence, gather, type Testimony } from "../evidence.ts";
import type { Entry, Kind, Marks, RunEnd } from "../journal.ts";
import type { Keeping, Strike } from "../nemeses/nemesis.ts";

interface Held {
  readonly kind: Kind;
  readonly name: string;
  readonly token: number;
  readonly askedAt?: number;
  readonly from: number;
  /** By its clocks. */
  readonly until: number;
  /** By its signal; default the same. */
  readonly quietUntil?: number;
  readonly abortedAt?: number;
  /** Of a run. */
  readonly how?: RunEnd;
}

/** Writes the journal of a process that never ran. */
export class Author {
  readonly #name: string;
  readonly #wasKilled: boolean;
  readonly #entries: Entry[] = [];
  readonly #marks = new Map<number, Marks>();
  #lastId = 0;

  constructor(name: string, { wasKilled = false }: { readonly wasKilled?: boolean } = {}) {
    this.#name = name;
    this.#wasKilled = wasKilled;
  }

  /** The name of what was held. */
  held(held: Held): string {
    const { kind, name, token, askedAt = held.from - 1, from, until, quietUntil = until, abortedAt, how } = held;
    const id = ++this.#lastId;
    this.#entries.push({ type: "ask", id, at: askedAt, kind, name }, { type: "grant", id, at: from, token });
    if (abortedAt !== undefined) this.#entries.push({ type: "abort", id, at: abortedAt, code: "ERR_LOCK_LOST" });
    this.#entries.push({ type: "over", id, at: Math.max(until, quietUntil) + 1 });
    if (how) this.#entries.push({ type: "settled", id, at: until + 2, how });
    this.#marks.set(id, { heldUntil: until, quietUntil });
    return `${this.#name}#${id}`;
  }

  told(message: string, run: string, at: number, isReplayed: boolean): void {
    this.#entries.push({ type: "result", at, message, run, isReplayed });
  }

  called(input: CacheInput, calledAt: number, returnedAt: number, output: CacheOutput): void {
    const id = ++this.#lastId;
    this.#entries.push({ type: "call", id, at: calledAt, input }, { type: "answer", id, at: returnedAt, output });
  }

  failed(input: CacheInput, calledAt: number, code: string): void {
    const id = ++this.#lastId;
    this.#entries.push({ type: "call", id, at: calledAt, input }, { type: "failure", id, at: calledAt + 1, code });
  }

  get testimony(): Testimony {
    return {
      name: this.#name,
      entries: this.#entries,
      marks: this.#marks,
      endedAt: Number.POSITIVE_INFINITY,
      wasKilled: this.#wasKilled,
    };
  }
}

export function evidenceOf(authors: readonly Author[], circumstances: Partial<Circumstances> = {}): Evidence {
  return gather(
    authors.map(({ testimony }) => testimony),
    { writes: [], effects: [], strikes: [], mishaps: [], ...circumstances },
  );
}

export function strike(acknowledged: Keeping, from: number, until: number): Strike {
  return { nemesis: acknowledged, acknowledged, from, until, hit: "", recoveredMs: { messages: 1 } };
}
