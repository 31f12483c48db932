import { onAbort } from "../../runtime/on-abort.ts";
import type { Scope, Wait } from "../lease/scope.ts";

/**
 * How long something goes on that the caller can end by a signal, and a
 * coordinator by closing: one signal for both. `end` when it is done, so that
 * neither keeps a listener.
 */
export class Lifetime {
  readonly #controller = new AbortController();
  readonly #end: () => void;

  constructor(signal: AbortSignal | undefined, scope: Scope | undefined) {
    const abort = (reason: unknown): void => this.#controller.abort(reason);
    if (signal?.aborted) abort(signal.reason);
    if (scope?.closed) abort(scope.closed);
    const stopListening = onAbort(signal, () => abort(signal?.reason));
    const wait: Wait = { end: abort };
    scope?.waits.add(wait);
    this.#end = () => {
      stopListening();
      scope?.waits.delete(wait);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Lets go of the caller's signal and the coordinator. Idempotent. */
  end(): void {
    this.#end();
    this.#controller.abort();
  }
}
