import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { checkStore } from "./check-store.ts";

checkStore("memory in real time", async () => ({
  open: async () => createMemoryCache({ name: "conformance" }),
  stop: async () => {},
}));
