import type { Clock, Timer } from "../../runtime/clock.ts";

/** The value of `promise`, or `undefined` if it rejects or takes longer than `ms`. */
export async function within<T>(clock: Clock, promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: Timer;
  const limit = new Promise<undefined>((resolve) => {
    timer = clock.setTimer(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } catch {
    return undefined;
  } finally {
    clock.clearTimer(timer);
  }
}
