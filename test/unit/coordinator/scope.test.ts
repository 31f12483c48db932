import { describe, expect, it } from "vitest";
import { Scope } from "../../../src/primitives/lease/scope.ts";

describe("the scope of a coordinator", () => {
  it("ends everything, and then tells what could not be ended", async () => {
    const scope = new Scope();
    const fault = new Error("a wait that cannot end");
    const ended: string[] = [];
    const failing = (): never => {
      throw fault;
    };
    scope.waits.add({ end: failing });
    scope.waits.add({ end: () => void ended.push("wait") });
    scope.open.add({ close: async () => failing() });
    scope.open.add({
      close: async () => {
        await Promise.resolve();
        ended.push("lock");
      },
    });
    await expect(scope.close(new Error("closed"))).rejects.toBe(fault);
    expect(ended).toEqual(["wait", "lock"]);
  });
});
