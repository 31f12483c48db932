/** Encoding and decoding of a record of some 200 bytes: the codec, JSON text and cbor-x. Run with `npx tsx bench/codec.ts`. */

import { Encoder } from "cbor-x";
import { Bench } from "tinybench";
import { codec } from "../src/cache/codec/codec.ts";

const order: unknown = {
  id: "ord-000123",
  customer: "customer:42",
  amount: 1999,
  currency: "EUR",
  placedAt: 1_700_000_000_123,
  lines: [
    { sku: "ABC-123", quantity: 2, price: 9.99 },
    { sku: "XYZ-9", quantity: 1, price: 3.5 },
  ],
  note: "leave at the door",
  paid: true,
  coupon: null,
};

const cborX = new Encoder({ useRecords: false, variableMapSize: true });
const encoded = codec.encode(order);
const theirs = cborX.encode(order);
const json = Buffer.from(JSON.stringify(order));
console.log(`bytes: codec ${encoded.length}, cbor-x ${theirs.length}, JSON ${json.length}`);

const bench = new Bench({ time: 1_000, warmupTime: 300 });
bench
  .add("encode codec", () => codec.encode(order))
  .add("encode cbor-x", () => cborX.encode(order))
  .add("encode JSON", () => Buffer.from(JSON.stringify(order)))
  .add("decode codec", () => codec.decode(encoded))
  .add("decode cbor-x", () => cborX.decode(theirs))
  .add("decode JSON", () => JSON.parse(json.toString()));
await bench.run();
console.table(bench.table());
