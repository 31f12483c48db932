/**
 * A listener as it may be called in the middle of anything: what it throws does not come back to whoever calls it, but
 * goes where the errors of timers go (`uncaughtException`).
 */
export function isolated<Event>(listener: (event: Event) => void): (event: Event) => void {
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
