import type { Contestant } from "./contestant.ts";

export const contestant: Contestant = {
  id: "json",
  name: "JSON text",
  role: "floor",
  packages: [],
  client: "none",
  remark: "knows neither dates nor bytes, bigints, maps or sets",
  variants: [
    {
      name: "default",
      offers: ["codec"],
      open: async () => ({
        codec: {
          encode: (value) => Buffer.from(JSON.stringify(value)),
          decode: (bytes) => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()),
        },
        close: async () => {},
      }),
    },
  ],
};
