import { expectTypeOf, it } from "vitest";
import type { CodecOptions, ComputeOptions, KeyOptions, TypedOptions, WarmOptions } from "../../src/cache/index.ts";
import type { MemoryCacheOptions } from "../../src/cache/memory/index.ts";
import type { RedisCacheOptions, RedisConfig } from "../../src/cache/redis/index.ts";
import type { HttpIdempotencyOptions } from "../../src/http/index.ts";
import type {
  CampaignOptions,
  CompareAndSetOptions,
  ConnectOptions,
  CoordinatorElectionOptions,
  CoordinatorIdempotentOptions,
  CoordinatorLockOptions,
  DeliveryOptions,
  ElectionOptions,
  FenceGateOptions,
  IdempotentOptions,
  LockOptions,
  MemoOptions,
  ObserveOptions,
  RunOptions,
  ShutdownOptions,
} from "../../src/index.ts";
import type { GetOptions, ManagerOptions, TenantConfig } from "../../src/manager/index.ts";
import type { ConformanceBackend, FaultSchedule, FaultyCacheOptions } from "../../src/testing/index.ts";

/** The properties that may be left out but not be `undefined`, under `exactOptionalPropertyTypes`. */
type NeverUndefined<T> = T extends unknown ? { [Name in keyof T]-?: Refusing<T, Name> }[keyof T] : never;
type Refusing<T, Name extends keyof T> =
  Record<never, never> extends Pick<T, Name>
    ? { [N in Name]: undefined } extends Pick<T, Name>
      ? never
      : Name
    : never;

it("every option can be undefined, which means the same as left out", () => {
  expectTypeOf<NeverUndefined<{ readonly signal?: AbortSignal; readonly key: string }>>().toEqualTypeOf<"signal">();

  expectTypeOf<NeverUndefined<LockOptions | CoordinatorLockOptions | FenceGateOptions>>().toBeNever();
  expectTypeOf<NeverUndefined<ElectionOptions | CoordinatorElectionOptions>>().toBeNever();
  expectTypeOf<NeverUndefined<CampaignOptions | RunOptions | ObserveOptions>>().toBeNever();
  expectTypeOf<NeverUndefined<IdempotentOptions<unknown> | CoordinatorIdempotentOptions<unknown>>>().toBeNever();
  expectTypeOf<NeverUndefined<DeliveryOptions | MemoOptions | HttpIdempotencyOptions<Request>>>().toBeNever();
  expectTypeOf<NeverUndefined<ConnectOptions | RedisConfig | RedisCacheOptions | MemoryCacheOptions>>().toBeNever();
  expectTypeOf<NeverUndefined<CompareAndSetOptions | CodecOptions | ShutdownOptions>>().toBeNever();
  expectTypeOf<NeverUndefined<KeyOptions<never> | TypedOptions | ComputeOptions | WarmOptions>>().toBeNever();
  expectTypeOf<NeverUndefined<ManagerOptions | GetOptions | TenantConfig>>().toBeNever();
  expectTypeOf<NeverUndefined<FaultyCacheOptions | FaultSchedule>>().toBeNever();
  expectTypeOf<NeverUndefined<ConformanceBackend>>().toBeNever();
});
