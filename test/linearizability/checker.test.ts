import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../simulation/kernel/random.ts";
import { judge, judgeAll, type Operation } from "./checker.ts";
import {
  type CacheInput,
  type CacheOutput,
  cacheModel,
  fencedMutex,
  fencedResource,
  type LockInput,
  type LockOutput,
  mutex,
} from "./models.ts";

const HOUR = 3_600_000;
const cache = cacheModel(0);

type CacheOp = Operation<CacheInput, CacheOutput>;
type State = Parameters<typeof cache.step>[0];

/** `at(1, 4)`: called at 1, answered at 4; `at(1)`: never answered. */
function at(calledAt: number, returnedAt?: number) {
  const times = { calledAt, returnedAt: returnedAt ?? Number.NaN };
  const key = "key";
  const operation = (input: CacheInput, output: CacheOutput): CacheOp => ({
    ...times,
    input,
    output: returnedAt === undefined ? undefined : output,
  });
  return {
    get: (value: string | null) => operation({ name: "get", key }, { value }),
    set: (value: string, ttlMs = HOUR) => operation({ name: "set", key, value, ttlMs }, {}),
    cas: (expected: string | null, next: string | null, done: boolean, ttlMs = HOUR) =>
      operation({ name: "compareAndSet", key, expected, next, ttlMs }, { done }),
    getOrSet: (value: string, found: string, ttlMs = HOUR) =>
      operation({ name: "getOrSet", key, value, ttlMs }, { value: found, done: value === found }),
    delete: (done: boolean) => operation({ name: "delete", key }, { done }),
  };
}

function holds(...history: CacheOp[]): boolean {
  return judge(cache, history).isLinearizable;
}

describe("a history of a cache is linearizable", () => {
  it("when one thread could have done the same", () => {
    expect(holds(at(1, 2).get(null), at(3, 4).set("a"), at(5, 6).get("a"), at(7, 8).delete(true))).toBe(true);
    expect(holds(at(1, 2).set("a"), at(3, 4).get(null))).toBe(false);
    expect(holds(at(1, 2).set("a"), at(3, 4).set("b"), at(5, 6).get("a"))).toBe(false);
  });

  it("in whatever order concurrent operations took effect", () => {
    expect(holds(at(1, 9).set("a"), at(2, 8).set("b"), at(10, 11).get("a"))).toBe(true);
    expect(holds(at(1, 9).set("a"), at(2, 8).set("b"), at(10, 11).get("b"))).toBe(true);
    expect(holds(at(1, 9).set("a"), at(2, 3).get("a"), at(4, 5).get(null))).toBe(false);
    expect(holds(at(1, 9).set("a"), at(2, 3).get(null), at(4, 5).get("a"))).toBe(true);
  });

  it("not when two win the same compare-and-set", () => {
    expect(holds(at(1, 5).cas(null, "a", true), at(2, 6).cas(null, "b", false))).toBe(true);
    expect(holds(at(1, 5).cas(null, "a", true), at(2, 6).cas(null, "b", true))).toBe(false);
    expect(holds(at(1, 5).getOrSet("a", "a"), at(2, 6).getOrSet("b", "a"))).toBe(true);
    expect(holds(at(1, 5).getOrSet("a", "a"), at(2, 6).getOrSet("b", "b"))).toBe(false);
  });

  it("not when an answer is older than one that somebody else had before", () => {
    const history = [at(1, 2).set("a"), at(3, 20).set("b"), at(4, 6).get("b"), at(7, 9).get("a")];
    expect(holds(...history)).toBe(false);
  });

  it("when an operation without an answer took effect, late or never", () => {
    const lost = at(1).set("a");
    expect(holds(lost, at(2, 3).get("a"))).toBe(true);
    expect(holds(lost, at(2, 3).get(null))).toBe(true);
    expect(holds(lost, at(2, 3).get(null), at(4, 5).get("a"))).toBe(true);
    expect(holds(lost, at(2, 3).get("a"), at(4, 5).get(null))).toBe(false);
    expect(holds(at(2).set("a"), at(0, 1).get("a"))).toBe(false);
  });

  it("when a value expires in its time, neither earlier nor later", () => {
    const written = at(10, 20).set("a", 100);
    expect(holds(written, at(30, 40).get("a"))).toBe(true);
    expect(holds(written, at(30, 40).get(null))).toBe(false);
    expect(holds(written, at(100, 115).get("a"))).toBe(true);
    expect(holds(written, at(100, 115).get(null))).toBe(true);
    expect(holds(written, at(130, 140).get("a"))).toBe(false);
    expect(holds(written, at(130, 140).getOrSet("b", "b"), at(150, 160).get("b"))).toBe(true);
    expect(holds(written, at(50, 60).cas("a", "a", true, 1_000), at(500, 510).get("a"))).toBe(true);
    expect(judge(cacheModel(20), [written, at(130, 140).get("a")]).isLinearizable).toBe(true);
  });

  it("when each of its keys is", () => {
    const onKey = (key: string, operation: CacheOp): CacheOp => ({ ...operation, input: { ...operation.input, key } });
    const good = [at(1, 2).set("a"), at(5, 6).get("a")].map((operation) => onKey("good", operation));
    const bad = [at(1, 2).set("a"), at(5, 6).get("b")].map((operation) => onKey("bad", operation));
    const refused = judgeAll(cache, [...good, ...bad], ({ key }) => key);
    expect([...refused.keys()]).toEqual(["bad"]);
    expect(refused.get("bad")?.longest).toHaveLength(1);
  });
});

describe("a history of a lock", () => {
  const acquire = (tenure: string, calledAt: number, returnedAt: number, fencingToken: number) => ({
    input: { name: "acquire", lock: "lock", tenure } as const,
    output: { fencingToken },
    calledAt,
    returnedAt,
  });
  const end = (tenure: string, calledAt: number, returnedAt: number) => ({
    input: { name: "end", lock: "lock", tenure } as const,
    output: { fencingToken: 0 },
    calledAt,
    returnedAt,
  });
  const failed = (tenure: string, calledAt: number, returnedAt: number) => acquire(tenure, calledAt, returnedAt, 0);
  const isMutex = (...history: Operation<LockInput, LockOutput>[]) => judge(mutex, history).isLinearizable;
  const isFenced = (...history: Operation<LockInput, LockOutput>[]) => judge(fencedMutex, history).isLinearizable;

  it("is that of a mutex when no two hold it at once", () => {
    expect(isMutex(acquire("a", 1, 2, 7), end("a", 5, 6), acquire("b", 3, 7, 8), end("b", 8, 9))).toBe(true);
    expect(isMutex(acquire("a", 1, 2, 7), failed("b", 3, 4), end("a", 5, 6))).toBe(true);
    expect(isMutex(acquire("a", 1, 2, 7), acquire("b", 3, 4, 8), end("a", 5, 6), end("b", 8, 9))).toBe(false);
    expect(isMutex(acquire("a", 1, 2, 7), acquire("b", 3, 4, 8))).toBe(false);
  });

  it("is that of a fenced mutex when tokens rise, also where holders overlap", () => {
    expect(isFenced(acquire("a", 1, 2, 7), acquire("b", 3, 4, 8), end("a", 5, 6), end("b", 8, 9))).toBe(true);
    expect(isFenced(acquire("a", 1, 2, 8), acquire("b", 3, 4, 7))).toBe(false);
    expect(isFenced(acquire("a", 1, 2, 7), acquire("b", 3, 4, 7))).toBe(false);
    expect(isFenced(acquire("a", 1, 5, 8), acquire("b", 2, 4, 7))).toBe(true);
  });

  it("of a resource that checks tokens: nothing lower is accepted after something higher", () => {
    const write = (fencingToken: number, accepted: boolean, calledAt: number, returnedAt: number) => ({
      input: { resource: "resource", fencingToken },
      output: { accepted },
      calledAt,
      returnedAt,
    });
    const isRight = (...history: ReturnType<typeof write>[]) => judge(fencedResource, history).isLinearizable;
    expect(isRight(write(7, true, 1, 2), write(8, true, 3, 4), write(7, false, 5, 6))).toBe(true);
    expect(isRight(write(8, true, 1, 2), write(7, true, 3, 4))).toBe(false);
    expect(isRight(write(8, true, 1, 4), write(7, true, 2, 3))).toBe(true);
    expect(isRight(write(7, false, 1, 2))).toBe(false);
  });
});

describe("the checker", () => {
  it("agrees with trying every order, on short histories", () => {
    fc.assert(
      fc.property(fc.array(operation(), { maxLength: 6 }), (history) => {
        expect(judge(cache, history).isLinearizable).toBe(isPossible(history));
      }),
      { numRuns: 3_000 },
    );
  });

  it("accepts what a register did under many clients, and refuses it with one answer changed", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const history = record({ seed, clients: 5, operations: 200, lost: 0.05 });
        expect(judge(cache, history).isLinearizable).toBe(true);
        const index = history.findLastIndex(({ input, output }) => input.name === "get" && output !== undefined);
        const changed = history.with(index, { ...(history[index] as CacheOp), output: { value: "never written" } });
        expect(judge(cache, changed).isLinearizable).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it("judges 10,000 operations on one key, with lost answers among them", () => {
    const history = record({ seed: 1, clients: 8, operations: 10_000, lost: 0.002 });
    expect(judge(cache, history).isLinearizable).toBe(true);
  });
});

function operation(): fc.Arbitrary<CacheOp> {
  const value = fc.constantFrom("a", "b");
  const orAbsent = fc.option(value, { nil: null });
  const time = fc.nat({ max: 12 });
  return fc
    .record({
      from: time,
      length: time,
      value,
      orAbsent,
      done: fc.boolean(),
      kind: fc.nat({ max: 5 }),
      lost: fc.nat({ max: 6 }),
    })
    .map(({ from, length, value, orAbsent, done, kind, lost }) => {
      const made = lost === 0 ? at(from) : at(from, from + length);
      switch (kind) {
        case 0:
          return made.set(value);
        case 1:
          return made.delete(done);
        case 2:
          return made.getOrSet(value, orAbsent ?? value);
        case 3:
          return made.cas(orAbsent, value, done);
        default:
          return made.get(orAbsent);
      }
    });
}

/** The definition, tried out: some order of all answered and some unanswered operations that respects time. */
function isPossible(history: readonly CacheOp[], state: State = null): boolean {
  const answered = history.filter(({ output }) => output !== undefined);
  if (answered.length === 0) return true;
  const firstReturn = Math.min(...answered.map(({ returnedAt }) => returnedAt));
  return history.some((next) => {
    if (next.calledAt > firstReturn) return false;
    const rest = history.filter((other) => other !== next);
    return cache.step(state, next, firstReturn).some((after) => isPossible(rest, after));
  });
}

/** What clients of a real register would have seen: each operation takes effect somewhere between call and return. */
function record(options: { seed: number; clients: number; operations: number; lost: number }): CacheOp[] {
  const luck = new Random(options.seed);
  const random = (): number => luck.next();
  const clocks = Array.from({ length: options.clients }, random);
  const planned = Array.from({ length: options.operations }, (_, index) => {
    const calledAt = clocks[index % options.clients] as number;
    const effectAt = calledAt + random();
    const returnedAt = effectAt + random();
    clocks[index % options.clients] = returnedAt + random() / 10;
    const made = random() < options.lost ? at(calledAt) : at(calledAt, returnedAt);
    return { effectAt, made, value: `value ${index}` };
  });
  let held: string | null = null;
  return planned
    .sort((a, b) => a.effectAt - b.effectAt)
    .map(({ made, value, effectAt }) => {
      const before = held;
      const operation = perform(made, before, value, random());
      const happens = operation.output !== undefined || random() < 0.5;
      if (happens) held = cache.step(asHeld(before), operation, effectAt)[0]?.value ?? null;
      return operation;
    });
}

function perform(made: ReturnType<typeof at>, before: string | null, value: string, kind: number): CacheOp {
  if (kind < 0.4) return made.get(before);
  if (kind < 0.55) return made.set(value);
  if (kind < 0.8) return made.cas(before, value, true);
  if (kind < 0.9) return made.cas("never written", value, false);
  return made.delete(before !== null);
}

function asHeld(value: string | null): State {
  return value === null ? null : { value, expiresFrom: HOUR, expiresTo: HOUR };
}
