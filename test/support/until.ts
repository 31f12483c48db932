export interface UntilOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Resolves with the first truthy answer of `probe`, asked again and again; a probe that throws is one that said no.
 * Rejects, naming `what`, when the time limit passes first.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = 15_000, everyMs = 10 }: UntilOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let reason: unknown;
    try {
      const answer = await probe();
      if (answer) return answer;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`, { cause: reason });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
