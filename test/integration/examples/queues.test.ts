import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startServer } from "../../support/redis-server.ts";

async function run(example: string, ...args: string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../../../examples/queues/${example}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", path, ...args]);
  return stdout;
}

describe("the examples of queues", () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.stop());

  it("a BullMQ worker ships each order once, also one that failed at first", async () => {
    const output = await run("bullmq.ts", server.url);
    expect(output.match(/executed/g)).toHaveLength(3);
    expect(output.match(/replayed/g)).toHaveLength(3);
    expect(output).toContain("6 jobs, shipped: o-1 o-2 o-3\n");
  }, 60_000);

  it("a consumer of an async iterator sends each message once, and gives back what somebody else is handling", async () => {
    for (const store of ["memory:", server.url]) {
      const output = await run("iterator.ts", store);
      expect(output.match(/executed/g)).toHaveLength(3);
      expect(output).toContain("sent: Hello Ada, Hello Barbara, Hello Grace\n");
    }
  }, 60_000);
});
