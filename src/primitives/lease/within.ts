import type { Clock } from "../../runtime/clock.ts";

/** The value of `promise`, or `undefined` if it rejects or takes longer than `ms`. */
export function within<T>(clock: Clock, promise: Promise<T>, ms: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(() => resolve(undefined), ms);
    const settle = (value: T | undefined): void => {
      clock.clearTimer(timer);
      resolve(value);
    };
    promise.then(settle, () => settle(undefined));
  });
}
