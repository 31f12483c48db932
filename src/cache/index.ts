/** `holdfast/cache`: the contract that every backend implements, its errors, and the codec. */

export { checkKey, checkTransition, checkTtl, checkValue, DEFAULT_MAX_VALUE_BYTES, MAX_KEY_BYTES } from "./checks.ts";
export { type Codec, codec, createCodec } from "./codec/codec.ts";
export type { CodecLimits, CodecOptions } from "./codec/limits.ts";
export {
  type Cache,
  type CacheOperation,
  type CacheSource,
  type CacheStats,
  type CompareAndSetOptions,
  type GetOrSetResult,
  resolveCache,
  type Unwatch,
} from "./contract.ts";
export {
  CasFailedError,
  ClosedError,
  CodecError,
  ConfigError,
  ConnectionError,
  type ErrorDetails,
  HoldfastError,
  InvalidTtlError,
  isStoreFault,
  NotFoundError,
  OperationError,
} from "./errors.ts";
