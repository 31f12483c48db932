/**
 * Starts the service: `TENANTS='{"acme": {"url": "redis://localhost:6379"}}' npx tsx examples/tenants/main.ts [port]`.
 * SIGTERM lets the requests under way finish, then closes the connections.
 */

import { readDirectory } from "./directory.ts";
import { createService } from "./service.ts";

const [port = "3000"] = process.argv.slice(2);
const service = createService(readDirectory(process.env["TENANTS"] ?? "{}"));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void service.close());
console.log(`listening on ${await service.listen({ port: Number(port) })}`);
