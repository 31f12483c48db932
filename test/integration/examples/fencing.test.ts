import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("the fencing example shows a late write being refused by Postgres", async () => {
  const example = fileURLToPath(new URL("../../../examples/fencing/main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", example]);
  expect(stdout).toMatch(/second holder, token \d+: written/);
  expect(stdout).toMatch(/first holder, token \d+, late: refused/);
  expect(stdout).toMatch(/balance: 70/);
}, 60_000);
