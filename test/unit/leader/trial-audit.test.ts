/** The audit of `npm run test:election` finds what it is there to find. */

import { expect, it } from "vitest";
import { judge } from "../../election/audit.ts";
import type { TermEntry } from "../../election/journal.ts";

function term(token: number, from: number, until: number): TermEntry {
  return { token, from: 100 + from, until: 100 + until };
}

it("is content with terms that follow one another, and tells the gaps", () => {
  const verdict = judge([term(2, 20, 30), term(1, 0, 10), term(3, 31, 31)]);
  expect(verdict).toEqual({ terms: 3, gapsMs: [10, 1], violations: [] });
});

it("finds two leaders at once", () => {
  expect(judge([term(1, 0, 20), term(2, 19.5, 30)]).violations).toEqual(["terms 1 and 2 overlapped by 0.500 ms"]);
});

it("finds one that goes on after the next but one has begun", () => {
  expect(judge([term(1, 0, 50), term(2, 60, 61), term(3, 62, 63)]).violations).toEqual([]);
  expect(judge([term(1, 0, 65), term(2, 60, 61), term(3, 62, 63)]).violations).toHaveLength(2);
});

it("finds terms that do not rise, or are not different", () => {
  expect(judge([term(2, 0, 1), term(1, 2, 3)]).violations).toEqual(["term 1 came after term 2"]);
  expect(judge([term(2, 0, 1), term(2, 2, 3)]).violations).toEqual(["term 2 came after term 2"]);
});

it("takes no account of who was killed before it knew that it led", () => {
  expect(judge([term(1, 0, 10), { token: 2, from: 0, until: 0 }]).terms).toBe(1);
});
