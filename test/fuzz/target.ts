import fc from "fast-check";

/** Something that reads what others have written, and what must hold whatever they wrote. */
export interface FuzzTarget<Input = unknown> {
  readonly name: string;
  readonly inputs: fc.Arbitrary<Input>;
  /** What an input can come to; each must occur, or the inputs prove too little. */
  readonly outcomes: readonly string[];
  /** How many inputs a default run of the tests takes. */
  readonly runs: number;
  /** Throws when a promise is broken; otherwise tells what the input came to. */
  readonly check: (input: Input) => string | Promise<string>;
}

/** Lets targets of different inputs stand in one list. */
export function target<Input>(definition: FuzzTarget<Input>): FuzzTarget {
  return definition as FuzzTarget;
}

export interface Fuzzing {
  /** How many inputs came to what. */
  readonly tally: Readonly<Record<string, number>>;
  /** The shortest input that was found to break a promise, which one, and how to see it again. */
  readonly failure: string | undefined;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly runs: number;
  /** Of a failure that is to be seen again. */
  readonly path?: string | undefined;
}

/** Shrinking stops after this time with the shortest input so far. */
const SHRINK_MS = 60_000;

/** Gives random inputs to a target until one breaks a promise; that one is made as short as can be. */
export async function fuzz({ name, inputs, check }: FuzzTarget, options: FuzzOptions): Promise<Fuzzing> {
  const { seed, runs, path } = options;
  const tally: Record<string, number> = {};
  let failedAtMs: number | undefined;
  const property = fc.asyncProperty(inputs, async (input) => {
    if (failedAtMs !== undefined && performance.now() - failedAtMs > SHRINK_MS) return;
    try {
      const outcome = await check(input);
      tally[outcome] = (tally[outcome] ?? 0) + 1;
    } catch (error) {
      failedAtMs ??= performance.now();
      throw error;
    }
  });
  const details = await fc.check(property, { seed, numRuns: runs, ...(path === undefined ? {} : { path }) });
  if (!details.failed) return { tally, failure: undefined };
  const [input] = details.counterexample ?? [];
  const failure = [
    `${name}: ${messageOf(details.errorInstance)}`,
    `seed ${details.seed}, path ${details.counterexamplePath}`,
    shown(input),
  ];
  return { tally, failure: failure.join("\n") };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function shown(input: unknown): string {
  if (input instanceof Uint8Array) return `the ${input.length} bytes ${Buffer.from(input).toString("hex")}`;
  try {
    return fc.stringify(input);
  } catch (error) {
    return `what cannot be shown: ${String(error)}`;
  }
}
