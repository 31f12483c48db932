import { isDeepStrictEqual } from "node:util";
import { Bench } from "tinybench";
import { part, type Subject } from "../contestants/contestant.ts";
import { ORDER, orderOf } from "../payload.ts";
import type { Metrics, Round, Workload } from "./workload.ts";

const VALUES = { "200 B": ORDER, "20 kB": Array.from({ length: 100 }, (_, i) => orderOf(`ord-${i}`)) } as const;

interface Params extends Round {
  readonly value: keyof typeof VALUES;
  readonly sliceMs: number;
}

/** Values to bytes and back. */
export const codec: Workload = {
  name: "codec",
  title: "Codec",
  description: "An order, and a list of a hundred.",
  offer: "codec",
  cases: ({ sliceMs }) => Object.keys(VALUES).map((value) => ({ name: value, params: { value, sliceMs } })),
  columns: [
    { metric: "bytes", title: "bytes", digits: 0 },
    { metric: "encodesPerSecond", title: "encoded/s", digits: 0 },
    { metric: "decodesPerSecond", title: "decoded/s", digits: 0 },
  ],
  roles: { check, measure },
};

async function measure(subject: Subject, { value, sliceMs }: Params): Promise<Metrics> {
  const { encode, decode } = unbound(part(subject, "codec"));
  const encoded = encode(VALUES[value]);
  const bench = new Bench({ time: sliceMs, warmupTime: sliceMs / 3 });
  bench.add("encode", () => encode(VALUES[value])).add("decode", () => decode(encoded));
  const [encoding, decoding] = await bench.run();
  return { bytes: encoded.length, encodesPerSecond: rateOf(encoding), decodesPerSecond: rateOf(decoding) };
}

function rateOf(task: Bench["tasks"][number] | undefined): number {
  if (task?.result.state !== "completed") throw new Error(`tinybench did not complete: ${task?.result.state}`);
  return 1_000 / task.result.latency.p50;
}

function unbound(codec: NonNullable<Subject["codec"]>): NonNullable<Subject["codec"]> {
  return { encode: (value) => codec.encode(value), decode: (bytes) => codec.decode(bytes) };
}

async function check(subject: Subject): Promise<void> {
  const { encode, decode } = part(subject, "codec");
  const codec = part(subject, "codec");
  const again = decode.call(codec, encode.call(codec, ORDER));
  if (!isDeepStrictEqual(again, ORDER)) throw new Error("what was encoded came back as something else");
}
