import { itKeepsEveryPromise } from "../promises.ts";
import { locks } from "./simulator.ts";

itKeepsEveryPromise(locks);
