import { itKeepsEveryPromise } from "../promises.ts";
import { leaders } from "./simulator.ts";

itKeepsEveryPromise(leaders);
