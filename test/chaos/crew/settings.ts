/** What a worker is told when it is started. */
export interface WorkerSettings {
  readonly name: string;
  readonly url: string;
  /** The port of each server, and that of the proxy through which this worker reaches it. */
  readonly routes: Readonly<Record<number, number>>;
  readonly journal: string;
  /** Of locks, terms and claims. */
  readonly ttlMs: number;
}

/** What a worker tells the world outside: that is where effects happen. */
export type Report =
  | { readonly type: "ready" }
  /** A write to a resource, under a fencing token. */
  | { readonly type: "write"; readonly resource: string; readonly token: number; readonly id: number }
  /** The effect of a message's handler. */
  | { readonly type: "effect"; readonly message: string; readonly id: number }
  /** A message that was delivered has been dealt with, here or elsewhere. */
  | { readonly type: "handled"; readonly message: string }
  /** The cache has answered for one of the registers. */
  | { readonly type: "answered"; readonly register: string };

/** What a worker is told while it runs. */
export interface Delivery {
  readonly message: string;
}

export const LOCKS: readonly string[] = ["stock", "ledger", "mail"];
export const ELECTION = "chief";
export const REGISTERS: readonly string[] = ["{north}", "{east}", "{south}"];
