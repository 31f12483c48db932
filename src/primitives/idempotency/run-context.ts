import { AsyncLocalStorage } from "node:async_hooks";
import type { Cache } from "../../cache/contract.ts";

const contexts = new AsyncLocalStorage<RunContext | undefined>();

/** The async context of a run, in which what its handler calls can see whose run it is part of. */
export class RunContext {
  readonly #cache: Cache;
  readonly #key: string;
  #outer: RunContext | undefined;
  #isOver = false;

  constructor(cache: Cache, key: string) {
    this.#cache = cache;
    this.#key = key;
  }

  call<T>(handler: () => T): T {
    this.#outer = contexts.getStore();
    return contexts.run(this, handler);
  }

  /** What the handler has left behind is not part of the run any more. */
  end(): void {
    this.#isOver = true;
  }

  /** Whether the caller is part of a run for this message: to wait for it would be to wait for itself. */
  static isInside(cache: Cache, key: string): boolean {
    for (let at = contexts.getStore(); at; at = at.#outer) {
      if (at.#key === key && at.#cache === cache && !at.#isOver) return true;
    }
    return false;
  }
}
