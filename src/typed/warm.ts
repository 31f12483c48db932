import pMap from "p-map";
import { describe } from "../cache/checks.ts";
import { checkFunction } from "../cache/choices.ts";
import { ConfigError } from "../cache/errors.ts";
import type { ComputeOptions } from "./compute-options.ts";

export interface WarmOptions extends Omit<ComputeOptions, "signal"> {
  /** How many keys are worked on at a time. Default 8. */
  readonly concurrency?: number | undefined;
  /** Called after each key. */
  readonly onProgress?: ((progress: WarmProgress) => void) | undefined;
  /** Ends the warm-up, which rejects with its reason; computations under way go on. */
  readonly signal?: AbortSignal | undefined;
}

export interface WarmProgress {
  /** Keys that are done with, those that failed included. */
  readonly done: number;
  readonly failed: number;
  /** Of how many; `undefined` as long as that is not known. */
  readonly total: number | undefined;
}

export interface WarmResult<Parameters> {
  /** Keys that have a fresh value now, or are known to have none. */
  readonly warmed: number;
  readonly failures: readonly { readonly parameters: Parameters; readonly error: unknown }[];
}

/** Calls `warmOne` for everything, `concurrency` at a time. A failure of one is no failure of the others. */
export async function warm<Parameters>(
  all: Iterable<Parameters> | AsyncIterable<Parameters>,
  warmOne: (parameters: Parameters) => Promise<unknown>,
  { concurrency = 8, onProgress = () => {}, signal }: WarmOptions,
): Promise<WarmResult<Parameters>> {
  checkFunction(onProgress, "onProgress");
  if (!(Number.isSafeInteger(concurrency) || concurrency === Number.POSITIVE_INFINITY) || concurrency < 1) {
    throw new ConfigError(
      `concurrency is ${describe(concurrency)}; it must be a whole number, at least 1, or Infinity`,
    );
  }
  const total = Array.isArray(all) ? all.length : undefined;
  const failures: { parameters: Parameters; error: unknown }[] = [];
  let done = 0;
  const one = async (parameters: Parameters): Promise<void> => {
    try {
      await warmOne(parameters);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push({ parameters, error });
    }
    done += 1;
    onProgress({ done, failed: failures.length, total });
  };
  await pMap(all, one, { concurrency, ...(signal === undefined ? {} : { signal }) });
  return { warmed: done - failures.length, failures };
}
