import { Encoder } from "cbor-x";
import type { Contestant } from "./contestant.ts";

export const contestant: Contestant = {
  id: "cbor-x",
  name: "cbor-x",
  role: "peer",
  packages: ["cbor-x"],
  client: "none",
  variants: [
    {
      name: "default",
      tuning: "without its private records, which no other library reads",
      offers: ["codec"],
      open: async () => ({
        codec: new Encoder({ useRecords: false, variableMapSize: true }),
        close: async () => {},
      }),
    },
  ],
};
