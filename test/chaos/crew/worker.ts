import type { Journal } from "../journal.ts";
import type { Report, WorkerSettings } from "./settings.ts";

/** What the parts of a worker share. */
export interface Worker {
  readonly settings: WorkerSettings;
  readonly journal: Journal;
  /** Aborts when it is to end. */
  readonly stopped: AbortSignal;
  /** Tells the world outside. */
  readonly report: (report: Report) => void;
}
