import type { Order, Receipt } from "../payload.ts";

/** Somebody who takes part: a library, or the floor under all of them. One file each, named like `id`. */
export interface Contestant {
  /** The name of its file. */
  readonly id: string;
  /** As tables show it. */
  readonly name: string;
  readonly role: "holdfast" | "floor" | "peer";
  /** Its packages, by their names in bench/package.json; none for what is built here or into Node. */
  readonly packages: readonly string[];
  readonly client: "ioredis" | "node-redis" | "none";
  /** A release wakes those who wait, by pub/sub; the others ask again at an interval. */
  readonly wakesWaiters?: true;
  /** What a reader of the results should know. */
  readonly remark?: string;
  readonly variants: readonly Variant[];
}

/** One way of using a contestant. Each is measured in a process of its own. */
export interface Variant {
  /** `default`, `tuned`, or what is different. */
  readonly name: string;
  /** What is set otherwise than by default. */
  readonly tuning?: string;
  readonly offers: readonly Offer[];
  open(url: string): Promise<Subject>;
}

/** What a variant can be measured at. `renewal`: its locks are renewed while they are held. */
export type Offer = "lock" | "renewal" | "guard" | "cache" | "codec";

/** An opened variant; it has the parts that the variant offers. */
export interface Subject {
  /** Takes the lock `key`, waiting for it without a limit. Resolves to what gives it back. */
  acquire?(key: string, ttlMs: number): Promise<Release>;
  /** Takes the lead in the same way, where that is something else than a lock. */
  lead?(name: string, ttlMs: number): Promise<Release>;
  /** Wraps a handler so that it runs once for each order's id. */
  guard?(handler: (order: Order) => Promise<Receipt>): (order: Order) => Promise<unknown>;
  readonly cache?: CacheOperations;
  readonly codec?: { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown };
  close(): Promise<unknown>;
}

export type Release = () => Promise<unknown>;

/** Each contestant stores the payload in the form that it takes: bytes, text or the object. */
export interface CacheOperations {
  /** What it stores; `get` must give this back. */
  readonly value: unknown;
  get(key: string): Promise<unknown>;
  set(key: string, ttlMs: number): Promise<unknown>;
  /** Stores the value if the key is absent; resolves to what the key holds now. */
  getOrSet(key: string, ttlMs: number): Promise<unknown>;
}

/** The parts of a subject that a workload cannot do without. */
export function part<Name extends keyof Subject>(subject: Subject, name: Name): NonNullable<Subject[Name]> {
  const found = subject[name];
  if (found === undefined) throw new Error(`this contestant has no "${name}"`);
  return (typeof found === "function" ? found.bind(subject) : found) as NonNullable<Subject[Name]>;
}
