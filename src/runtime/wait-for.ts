import type { Clock } from "./clock.ts";
import { onAbort } from "./on-abort.ts";

export interface WaitLimits {
  readonly signal?: AbortSignal | undefined;
  /** Default: no limit. */
  readonly limitMs?: number | undefined;
  /** Makes the error of a wait that took `limitMs`. */
  readonly timedOut?: () => Error;
}

/**
 * Settles as `promise` does, or rejects as soon as `signal` aborts or `limitMs`
 * have passed. Only the wait ends then; what it waited for goes on.
 */
export function waitFor<T>(clock: Clock, promise: Promise<T>, limits: WaitLimits): Promise<T> {
  const { signal, limitMs = Number.POSITIVE_INFINITY, timedOut = () => new Error("timed out") } = limits;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      // Whoever is still interested hears of its failure; nobody is no reason for an unhandled rejection.
      promise.catch(() => {});
      return reject(signal.reason);
    }
    const end = (): void => {
      clock.clearTimer(timer);
      stopListening();
    };
    const timer = clock.setTimer(() => {
      end();
      reject(timedOut());
    }, limitMs);
    const stopListening = onAbort(signal, () => {
      end();
      reject(signal?.reason);
    });
    promise.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}
