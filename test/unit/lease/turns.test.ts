import { beforeEach, describe, expect, it } from "vitest";
import { TOKENS_PER_TURN } from "../../../src/primitives/lease/fence.ts";
import { Turns } from "../../../src/primitives/lease/turns.ts";

const TURN_MS = 50;
const START_MS = 1_000;

let turns: Turns;
beforeEach(() => {
  turns = new Turns();
  turns.start(START_MS);
});

describe("a turn", () => {
  it("has one hand-over for each token but the first", () => {
    for (let pass = 1; pass < TOKENS_PER_TURN; pass++) expect(turns.mayPass(START_MS)).toBe(true);
    expect(turns.mayPass(START_MS)).toBe(false);
  });

  it("begins no hand-over when its time is over", () => {
    expect(turns.mayPass(START_MS + TURN_MS - 1)).toBe(true);
    expect(turns.mayPass(START_MS + TURN_MS)).toBe(false);
  });

  it("begins anew with each lease that was taken from the store", () => {
    while (turns.mayPass(START_MS));
    turns.start(START_MS + TURN_MS);
    expect(turns.mayPass(START_MS + TURN_MS)).toBe(true);
  });
});

describe("courtesy", () => {
  it("is owed to others by whoever had a turn lately, less with each turn of theirs", () => {
    const owed = [0, 1, 2, 3, 4].map(() => {
      const { looks } = turns;
      turns.sawAnother();
      return looks;
    });
    expect(owed).toEqual([3, 2, 1, 0, 0]);
  });

  it("is owed again after the next turn", () => {
    for (let turn = 0; turn < 3; turn++) turns.sawAnother();
    turns.start(START_MS);
    expect(turns.looks).toBe(3);
  });

  it("is not owed by newcomers", () => {
    const newcomer = new Turns();
    expect(newcomer.looks).toBe(0);
    newcomer.sawAnother();
    expect(newcomer.looks).toBe(0);
  });
});
