import { describe, expect, test } from "vitest";
import { parseOptions } from "../../../examples/orders/options.ts";

describe("the demo's options", () => {
  test("have defaults", () => {
    expect(parseOptions([])).toEqual({ store: "memory:", workers: 4, kill: 0, lock: true, help: false });
  });

  test("are read", () => {
    const args = ["--store", "redis+sentinel://a,b/main", "--workers=8", "--kill", "2", "--no-lock", "--help"];
    const store = "redis+sentinel://a,b/main";
    expect(parseOptions(args)).toEqual({ store, workers: 8, kill: 2, lock: false, help: true });
  });

  test.each([
    [["--unknown"], /--unknown/],
    [["file.jsonl"], /file\.jsonl/],
    [["--workers"], /--workers/],
    [["--workers", "0"], /--workers is "0"/],
    [["--workers", "1.5"], /--workers is "1\.5"/],
    [["--workers", ""], /--workers is ""/],
    [["--workers", "65"], /--workers is "65"/],
    [["--store", "redis://x", "--kill", "-1"], /--kill/],
    [["--store", "redis://x", "--kill", "1.5"], /--kill is "1\.5"/],
    [["--kill", "1"], /--kill needs a server/],
    [["--store", "http://x"], /--store is "http:\/\/x"/],
    [["--no-lock=no"], /no-lock/],
  ])("%j are refused", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
