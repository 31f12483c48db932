/** `holdfast/http`: the `Idempotency-Key` header, for web-standard handlers, Express and Fastify. */

export { expressIdempotency } from "./express.ts";
export { type FastifyLike, type FastifyReplyLike, fastifyIdempotency } from "./fastify.ts";
export { type FetchHandler, idempotentFetch } from "./fetch.ts";
export type { NodeRequest } from "./node-request.ts";
export type { GuardMaker, HttpIdempotencyOptions } from "./options.ts";
