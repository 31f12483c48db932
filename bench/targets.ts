import { ENTRIES, type Entry } from "./contestants/index.ts";
import type { CaseResults, Results } from "./results.ts";

/** What the library wants to reach, as one number out of the results of a run. */
export interface Target {
  /** Names it in the baseline. */
  readonly id: string;
  readonly workload: string;
  readonly title: string;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
  readonly unit: "×" | "commands" | "%" | "bytes" | "ms";
  /** `undefined`: not measured in this run. */
  reached(results: Results): Reached | undefined;
}

export interface Reached {
  readonly value: number;
  /** With whom it was compared. */
  readonly against?: string;
}

const OURS = "holdfast";
const WITHOUT_FENCING = "holdfast (fencing: false)";
const RAW = "raw ioredis";
const RAW_PIPELINING = "raw ioredis (pipelining)";

const anyPeer = ({ contestant }: Entry): boolean => contestant.role === "peer";
const peerByDefault = (entry: Entry): boolean => anyPeer(entry) && entry.variant.name === "default";
const pollsByDefault = (entry: Entry): boolean => peerByDefault(entry) && !entry.contestant.wakesWaiters;
const named =
  (...names: readonly string[]) =>
  ({ name }: Entry): boolean =>
    names.includes(name);

interface Comparison {
  readonly workload: string;
  readonly case: string;
  readonly metric: string;
  readonly best: "lowest" | "highest";
  readonly against: (entry: Entry) => boolean;
  readonly us?: string;
}

/** Our figure divided by the best of the others; which is the best of them. */
function compare({ workload, case: name, metric, best, against, us = OURS }: Comparison) {
  return (results: Results): Reached | undefined => {
    const figures = results.workloads[workload]?.[name];
    const ours = figures && medianOf(figures, us, metric);
    if (!figures || ours === undefined) return undefined;
    const others = ENTRIES.filter(against).flatMap((entry) => {
      const value = medianOf(figures, entry.name, metric);
      return value === undefined ? [] : [{ name: entry.name, value }];
    });
    const sorted = others.toSorted((a, b) => (best === "lowest" ? a.value - b.value : b.value - a.value));
    const first = sorted[0];
    return first && { value: ours / first.value, against: first.name };
  };
}

function own(workload: string, name: string, metric: string) {
  return (results: Results): Reached | undefined => {
    const figures = results.workloads[workload]?.[name];
    const value = figures && medianOf(figures, OURS, metric);
    return value === undefined ? undefined : { value };
  };
}

function medianOf(figures: CaseResults, entry: string, metric: string): number | undefined {
  return figures[entry]?.[metric]?.median;
}

function lockTargets(): Target[] {
  const workload = "lock";
  return [
    {
      id: "lock 1",
      workload,
      title: "uncontended pair with token, one caller: p50 against raw ioredis",
      limit: { atMost: 1.15 },
      unit: "×",
      reached: compare({ workload, case: "1", metric: "p50Ms", best: "lowest", against: named(RAW, RAW_PIPELINING) }),
    },
    ...["64", "512"].flatMap((callers): Target[] => [
      {
        id: `lock ${callers}`,
        workload,
        title: `the same, ${callers} callers: pairs/s against the best peer`,
        limit: { atLeast: 1.1 },
        unit: "×",
        reached: compare({ workload, case: callers, metric: "perSecond", best: "highest", against: anyPeer }),
      },
      {
        id: `lock ${callers} without fencing`,
        workload,
        title: `the same with \`fencing: false\`, ${callers} callers`,
        limit: { atLeast: 1.3 },
        unit: "×",
        reached: compare({
          workload,
          case: callers,
          metric: "perSecond",
          best: "highest",
          against: anyPeer,
          us: WITHOUT_FENCING,
        }),
      },
    ]),
  ];
}

function handoverTargets(): Target[] {
  const workload = "handover";
  return ["1 process", "4 processes"].flatMap((name): Target[] => [
    ...(["p50Ms", "p99Ms"] as const).flatMap((metric): Target[] => {
      const shown = metric.slice(0, 3);
      return [
        {
          id: `handover ${name} ${shown} default`,
          workload,
          title: `contended hand-over, ${name}: ${shown} against the best peer's default`,
          limit: { atMost: 1 / 5 },
          unit: "×",
          reached: compare({ workload, case: name, metric, best: "lowest", against: peerByDefault }),
        },
        {
          id: `handover ${name} ${shown} default that polls`,
          workload,
          title: `the same: ${shown} against the best default that polls`,
          limit: { atMost: 1 / 5 },
          unit: "×",
          reached: compare({ workload, case: name, metric, best: "lowest", against: pollsByDefault }),
        },
        {
          id: `handover ${name} ${shown} polling`,
          workload,
          title: `the same: ${shown} against raw polling every millisecond`,
          limit: { atMost: 2 },
          unit: "×",
          reached: compare({ workload, case: name, metric, best: "lowest", against: named(RAW, RAW_PIPELINING) }),
        },
      ];
    }),
    {
      id: `handover ${name} commands`,
      workload,
      title: "the same: store commands against that polling",
      limit: { atMost: 1 / 4 },
      unit: "×",
      reached: compare({
        workload,
        case: name,
        metric: "commands",
        best: "lowest",
        against: named(RAW, RAW_PIPELINING),
      }),
    },
  ]);
}

function takeoverTargets(): Target[] {
  const workload = "takeover";
  const common = { workload, case: "ttl 1 s", metric: "p50Ms", best: "lowest" } as const;
  return [
    {
      id: "takeover default",
      workload,
      title: "takeover after a crash: p50 against the best peer's default",
      limit: { atMost: 1 },
      unit: "×",
      reached: compare({ ...common, against: peerByDefault }),
    },
    {
      id: "takeover polling",
      workload,
      title: "the same against raw polling every millisecond",
      limit: { atMost: 2 },
      unit: "×",
      reached: compare({ ...common, against: named(RAW, RAW_PIPELINING) }),
    },
    {
      id: "takeover commands",
      workload,
      title: "the same: store commands of a waiter",
      limit: { atMost: 4 },
      unit: "commands",
      reached: own(workload, "ttl 1 s", "commands"),
    },
  ];
}

function idempotencyTargets(): Target[] {
  const workload = "idempotency";
  const common = { workload, metric: "perSecond", best: "highest", against: anyPeer } as const;
  return [
    {
      id: "duplicate 64",
      workload,
      title: "duplicate delivery, 64 callers: deliveries/s against the best peer",
      limit: { atLeast: 1.4 },
      unit: "×",
      reached: compare({ ...common, case: "duplicate 64" }),
    },
    {
      id: "first 64",
      workload,
      title: "first delivery, 64 callers: deliveries/s against the best peer",
      limit: { atLeast: 1.1 },
      unit: "×",
      reached: compare({ ...common, case: "first 64" }),
    },
  ];
}

function cacheTargets(): Target[] {
  const workload = "cache";
  return ["get", "set", "getOrSet"].flatMap((operation): Target[] => [
    {
      id: `cache ${operation} 64`,
      workload,
      title: `cache \`${operation}\`, 64 callers: operations/s against raw ioredis with automatic pipelining`,
      limit: { atLeast: 0.9 },
      unit: "×",
      reached: compare({
        workload,
        case: `${operation} 64`,
        metric: "perSecond",
        best: "highest",
        against: named(RAW_PIPELINING),
      }),
    },
    {
      id: `cache ${operation} 1 p99`,
      workload,
      title: `cache \`${operation}\`, one caller: p99 against raw ioredis`,
      limit: { atMost: 1.2 },
      unit: "×",
      reached: compare({ workload, case: `${operation} 1`, metric: "p99Ms", best: "lowest", against: named(RAW) }),
    },
    {
      id: `cache ${operation} p99.9`,
      workload,
      title: `cache \`${operation}\`, 64 callers: p99.9`,
      limit: { atMost: 100 },
      unit: "ms",
      reached: own(workload, `${operation} 64`, "p999Ms"),
    },
  ]);
}

function heldTargets(): Target[] {
  const workload = "held";
  return [
    {
      id: "held cpu",
      workload,
      title: "10,000 held locks, ttl 30 s: processor time for their renewal",
      limit: { atMost: 10 },
      unit: "%",
      reached: own(workload, "10000 held", "cpuPercent"),
    },
    {
      id: "held heap",
      workload,
      title: "10,000 held locks: heap for each",
      limit: { atMost: 2_048 },
      unit: "bytes",
      reached: own(workload, "10000 held", "heapBytes"),
    },
  ];
}

export const TARGETS: readonly Target[] = [
  ...lockTargets(),
  ...handoverTargets(),
  ...takeoverTargets(),
  ...idempotencyTargets(),
  ...cacheTargets(),
  ...heldTargets(),
];

export function passes({ limit }: Target, { value }: Reached): boolean {
  return "atMost" in limit ? value <= limit.atMost : value >= limit.atLeast;
}
