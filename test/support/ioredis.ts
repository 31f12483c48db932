/**
 * The client that the tests run with: ioredis 6, or 5 when HOLDFAST_IOREDIS=5 makes vitest resolve "ioredis" to the
 * alias package "ioredis5", in the sources as well as here.
 */
export { Cluster, Redis } from "ioredis";

export const ioredisMajor: 5 | 6 = process.env["HOLDFAST_IOREDIS"] === "5" ? 5 : 6;
