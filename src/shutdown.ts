/**
 * Ending a coordinator when the process is told to end.
 *
 * Node ends a process on `SIGTERM` only while nobody listens for it. Whoever
 * listens takes that over, so a helper that merely cleans up would make the
 * process immortal. This one raises the signal again when it has cleaned up,
 * unless somebody else listens as well, whose decision it then is.
 */

import { constants } from "node:os";
import { checkFunction, checkList, checkOneOf, checkOptions } from "./cache/choices.ts";

/** Marks our listeners, also those of another copy of this package. */
const OURS: unique symbol = Symbol.for("holdfast.shutdown");

type Listener = ((signal: NodeJS.Signals) => void) & { readonly [OURS]: true };

export interface ShutdownOptions {
  /** Default `["SIGTERM", "SIGINT"]`. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /**
   * What happens once everything was given back:
   * - `"unless-handled"` (default): the signal is raised again, which ends the
   *   process with the status that its parent expects, unless somebody else
   *   listens for that signal. Then it is theirs to end the process;
   * - `"always"`: it is raised again in any case, so that other listeners hear it
   *   twice. For libraries that only clean up, and end the process when they
   *   find themselves alone (`signal-exit`);
   * - `"never"`: ending the process is the caller's.
   */
  readonly reraise?: "unless-handled" | "always" | "never" | undefined;
  /** Called with what `close` rejected with. Default: a process warning. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Closes a coordinator, or anything else with a `close`, when the process gets
 * one of the signals: leaders resign and locks are given back, so that others
 * take over in milliseconds rather than after a TTL. Work that runs under them
 * is told by its signal; it has the rest of its lease to finish, no longer.
 *
 * A second signal does not wait: it acts as if this helper were not there.
 *
 * @returns a function that takes the helper away again
 * @throws ConfigError naming the option that is wrong
 */
export function resignOnShutdown(hold: { close(): Promise<void> }, options: ShutdownOptions = {}): () => void {
  checkFunction(hold?.close, "hold.close", "that of a coordinator");
  checkOptions(options, "resignOnShutdown");
  const { signals = ["SIGTERM", "SIGINT"], reraise = "unless-handled", onError = warn } = options;
  checkList(signals, "signals", 'an array of names of signals, such as "SIGTERM"', isSignal);
  checkOneOf(reraise, "reraise", ["unless-handled", "always", "never"]);
  checkFunction(onError, "onError");
  let closing = false;

  const remove = (): void => {
    for (const signal of signals) process.off(signal, listener);
  };
  const raise = (signal: NodeJS.Signals): void => void process.kill(process.pid, signal);
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closing) {
      remove();
      if (process.listenerCount(signal) === 0) raise(signal);
      return;
    }
    closing = true;
    const isHandled = process.rawListeners(signal).some((other) => !(OURS in other));
    hold
      .close()
      .catch(onError)
      .finally(() => {
        remove();
        // Of several coordinators, the last one to be done raises it.
        const isAlone = !isHandled && process.listenerCount(signal) === 0;
        if (reraise === "always" || (reraise === "unless-handled" && isAlone)) raise(signal);
      });
  };
  const listener: Listener = Object.assign(onSignal, { [OURS]: true } as const);
  // Before the others: those that listen once are still there to be seen.
  for (const signal of signals) process.prependListener(signal, listener);
  return remove;
}

function warn(error: unknown): void {
  process.emitWarning(error as Error);
}

function isSignal(value: unknown): boolean {
  return Object.hasOwn(constants.signals, value as string);
}
