import { type ConformanceBackend, Scene, TooSlow } from "./scene.ts";

/** The two functions that every test runner has: vitest, node:test, mocha, jest. */
export interface ConformanceRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}

/** What the chapters of the suite are written with. */
export interface Suite {
  readonly backend: ConformanceBackend;
  group(name: string, body: () => void): void;
  test(name: string, body: (scene: Scene) => Promise<void>): void;
}

const SLOWEST_UNIT_MS = 2_000;

export function createSuite(runner: ConformanceRunner, backend: ConformanceBackend): Suite {
  return {
    backend,
    group: (name, body) => void runner.describe(name, body),
    test: (name, body) => void runner.it(name, () => runScene(backend, body)),
  };
}

/** Runs a test in a scene of its own; one that was too slow, again with longer TTLs. */
async function runScene(backend: ConformanceBackend, body: (scene: Scene) => Promise<void>): Promise<void> {
  let unitMs = backend.ttlUnitMs ?? (backend.exactTime ? 1_000 : 40);
  for (;;) {
    const scene = await Scene.open(backend, unitMs);
    try {
      return await body(scene);
    } catch (error) {
      if (!(error instanceof TooSlow) || unitMs * 2 > SLOWEST_UNIT_MS) throw error;
      unitMs *= 2;
    } finally {
      await scene.close();
    }
  }
}
