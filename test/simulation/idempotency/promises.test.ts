import { itKeepsEveryPromise } from "../promises.ts";
import { handlers } from "./simulator.ts";

itKeepsEveryPromise(handlers);
