/** `holdfast/cache`: the contract that every backend implements, its errors, the codec, and typed keys. */

export type { ErrorListener, LoadContext } from "../typed/compute.ts";
export type { ComputeOptions } from "../typed/compute-options.ts";
export { defineKey, type KeyOptions, type TypedKey } from "../typed/define-key.ts";
export { ComputeTimeoutError, ValidationError } from "../typed/errors.ts";
export { unchecked } from "../typed/schema.ts";
export type { KeyParameters } from "../typed/template.ts";
export { type GetOrSetValue, type LoadValue, TypedCache, type TypedOptions, typed } from "../typed/typed.ts";
export type { Input, Output } from "../typed/values.ts";
export type { WarmOptions, WarmProgress, WarmResult } from "../typed/warm.ts";
export { copyBytes, equalBytes } from "./bytes.ts";
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
export { CacheCounters, type CountedStats } from "./counters.ts";
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
export { OperationGuard } from "./guard.ts";
