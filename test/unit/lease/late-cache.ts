import { OperationError } from "../../../src/cache/errors.ts";
import { FaultyCache } from "../../../src/testing/faulty-cache.ts";

/** A cache in which a compare-and-set can fail, and be executed when the test says so: a command that arrives late. */
export class LateCache extends FaultyCache {
  #pass = Number.POSITIVE_INFINITY;
  #execute: () => Promise<boolean> = () => Promise.resolve(false);

  /** The next compare-and-set will be late, or the one after `skip` others. */
  delayNext(skip: number = 0): void {
    this.#pass = skip;
  }

  /** Now it arrives. */
  arrive(): Promise<boolean> {
    return this.#execute();
  }

  override compareAndSet(...args: Parameters<FaultyCache["compareAndSet"]>): Promise<boolean> {
    const isLate = this.#pass === 0;
    this.#pass -= 1;
    if (!isLate) return super.compareAndSet(...args);
    this.#execute = () => super.compareAndSet(...args);
    return Promise.reject(new OperationError("no answer in time", { code: "ERR_CACHE_TIMEOUT" }));
  }
}
