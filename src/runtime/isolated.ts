type Listener<Event> = (event: Event) => void;

/** Each is isolated once: an observer may be that of thousands of locks. */
const known = new WeakMap<Listener<never>, Listener<never>>();

/**
 * A listener as it may be called in the middle of anything: what it throws does not come back to whoever calls it, but
 * goes where the errors of timers go (`uncaughtException`).
 */
export function isolated<Event>(listener: Listener<Event>): Listener<Event> {
  const before = known.get(listener) as Listener<Event> | undefined;
  if (before !== undefined) return before;
  const made = isolate(listener);
  known.set(listener, made);
  // To isolate it again changes nothing.
  known.set(made, made);
  return made;
}

function isolate<Event>(listener: Listener<Event>): Listener<Event> {
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
