interface Listeners {
  readonly callbacks: Set<() => void>;
  readonly dispatch: () => void;
}

const listeners = new WeakMap<AbortSignal, Listeners>();

/**
 * Calls `callback` when `signal` aborts, until the function that it returns is
 * called. However many callbacks there are, the signal has one listener: Node
 * warns of a leak at the eleventh, and a signal that ends a whole process may
 * well end a thousand waits.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {};
  const { callbacks, dispatch } = listenersOf(signal);
  if (callbacks.size === 0) signal.addEventListener("abort", dispatch, { once: true });
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) signal.removeEventListener("abort", dispatch);
  };
}

function listenersOf(signal: AbortSignal): Listeners {
  let known = listeners.get(signal);
  if (known === undefined) {
    const callbacks = new Set<() => void>();
    known = { callbacks, dispatch: () => [...callbacks].forEach((callback) => void callback()) };
    listeners.set(signal, known);
  }
  return known;
}
