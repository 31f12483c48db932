import { OperationError } from "../../../src/cache/errors.ts";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** What befalls one request, chosen in advance: the one that is sent after `skip` others. */
export interface Accident {
  /**
   * - `lost`: it never arrives
   * - `reply-lost`: it is executed, the answer never arrives
   * - `late`: it arrives `lateMs` later, long after its sender may have given up
   * - `twice`: it arrives, and once more `lateMs` later
   */
  readonly kind: "lost" | "reply-lost" | "late" | "twice";
  readonly skip: number;
  readonly lateMs: number;
  /** Whether the client learns nothing of it, rather than that its connection was lost. */
  readonly silent: boolean;
}

export interface NetworkOptions {
  /** One connection, on which nothing overtakes anything; otherwise each message finds its own way. */
  readonly ordered: boolean;
  /** Whether a client sends again what was not answered when a connection broke. */
  readonly resends: boolean;
  readonly seed: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/** One request on its way. */
export interface Message {
  /** What the server does with it; the result is the answer. */
  execute(): unknown;
  answer(result: unknown): void;
  fail(error: Error): void;
  readonly settled: boolean;
}

/** The server's side of the wire. */
export interface Gate {
  /** Until when the server executes nothing (SIGSTOP, a fork, a slow script). */
  readonly hungUntilMs: number;
}

/** One life of a connection. What was sent on it may arrive after its end. */
interface Epoch {
  state: "open" | "broken";
  /** What happens to requests that are under way when it breaks. */
  rest: "arrives" | "lost";
  restLateMs: number;
  readonly unanswered: Set<Message>;
  lastArrivalMs: number;
  lastAnswerMs: number;
}

/** How long it takes a client to see that its connection is gone, and to have another. */
const RECONNECT_MS = 2;

/** The way from one client to the server and back. */
export class Network {
  readonly #timeline: Timeline;
  readonly #machine: Machine;
  readonly #gate: Gate;
  readonly #options: NetworkOptions;
  readonly #random: Random;
  readonly #accidents: { readonly accident: Accident; left: number }[] = [];
  #epoch: Epoch = newEpoch();
  #connected = true;
  /** Sent while there was no connection. */
  #waiting: Message[] = [];
  #requestsHeldUntilMs = 0;
  #answersHeldUntilMs = 0;
  /** Called when a broken connection is there again. */
  onReconnected: () => void = () => {};

  constructor(timeline: Timeline, machine: Machine, gate: Gate, options: NetworkOptions) {
    this.#timeline = timeline;
    this.#machine = machine;
    this.#gate = gate;
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  send(message: Message): void {
    if (!this.#connected) {
      this.#waiting.push(message);
      return;
    }
    const accident = this.#nextAccident();
    const epoch = this.#epoch;
    epoch.unanswered.add(message);
    if (this.#options.ordered) this.#sendInOrder(epoch, message, accident);
    else this.#sendAlone(epoch, message, accident);
  }

  plan(accident: Accident): void {
    this.#accidents.push({ accident, left: accident.skip });
  }

  /** Nothing arrives for a while in one direction, or both; then everything does. */
  stall(direction: "requests" | "answers" | "both", ms: number): void {
    const untilMs = this.#timeline.nowMs + ms;
    if (direction !== "answers") this.#requestsHeldUntilMs = Math.max(this.#requestsHeldUntilMs, untilMs);
    if (direction !== "requests") this.#answersHeldUntilMs = Math.max(this.#answersHeldUntilMs, untilMs);
  }

  /**
   * The connection breaks. What is under way to the server is lost, or arrives
   * all the same, even later; no answer does.
   */
  break(rest: "arrives" | "lost", lateMs: number = 0): void {
    const epoch = this.#epoch;
    epoch.state = "broken";
    epoch.rest = rest;
    epoch.restLateMs = lateMs;
    this.#epoch = newEpoch();
    this.#connected = false;
    this.#timeline.after(RECONNECT_MS, () => this.#machine.deliver(() => this.#onBroken(epoch)));
  }

  /** No further accidents. A stall ends when it ends. */
  heal(): void {
    this.#accidents.length = 0;
  }

  /** A delay for something that travels beside the requests. */
  delayMs(): number {
    return this.#random.between(this.#options.minDelayMs, this.#options.maxDelayMs);
  }

  #onBroken(epoch: Epoch): void {
    const unanswered = [...epoch.unanswered];
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#connected = true;
    for (const message of unanswered) this.#giveUp(message);
    for (const message of waiting) if (!message.settled) this.send(message);
    this.onReconnected();
  }

  #giveUp(message: Message): void {
    if (message.settled) return;
    if (this.#options.resends) this.send(message);
    else message.fail(connectionLost());
  }

  #sendInOrder(epoch: Epoch, message: Message, accident: Accident | undefined): void {
    const arrivesAtMs = Math.max(this.#timeline.nowMs + this.delayMs(), epoch.lastArrivalMs);
    epoch.lastArrivalMs = arrivesAtMs;
    this.#timeline.at(arrivesAtMs, () => this.#arrive(epoch, message, accident?.kind === "reply-lost"));
    if (accident?.kind === "lost") this.break("lost");
    if (accident?.kind === "late" || accident?.kind === "twice") this.break("arrives", accident.lateMs);
  }

  #sendAlone(epoch: Epoch, message: Message, accident: Accident | undefined): void {
    const { kind, lateMs = 0, silent = false } = accident ?? {};
    const arrivesAtMs = this.#timeline.nowMs + this.delayMs();
    const muted = kind === "reply-lost" || kind === "lost";
    if (kind !== "lost") {
      const atMs = arrivesAtMs + (kind === "late" ? lateMs : 0);
      this.#timeline.at(atMs, () => this.#arrive(epoch, message, muted && silent));
    }
    if (kind === "twice") this.#timeline.at(arrivesAtMs + lateMs, () => this.#arrive(epoch, message, false));
    if (muted && !silent) this.#timeline.at(arrivesAtMs, () => this.#loseAlone(epoch, message));
  }

  #loseAlone(epoch: Epoch, message: Message): void {
    epoch.unanswered.delete(message);
    this.#machine.deliver(() => this.#giveUp(message));
  }

  /** @param last whether the connection breaks after this was executed, or (unordered) the answer is lost */
  #arrive(epoch: Epoch, message: Message, last: boolean): void {
    const nowMs = this.#timeline.nowMs;
    const heldUntilMs = Math.max(this.#gate.hungUntilMs, this.#requestsHeldUntilMs);
    if (heldUntilMs > nowMs) {
      this.#timeline.at(heldUntilMs, () => this.#arrive(epoch, message, last));
      return;
    }
    if (epoch.state === "broken") {
      if (epoch.rest === "lost") return;
      if (epoch.restLateMs === 0) message.execute();
      else this.#timeline.after(epoch.restLateMs, () => void message.execute());
      return;
    }
    const result = message.execute();
    if (!last) this.#answer(epoch, message, result);
    else if (this.#options.ordered) this.break("lost");
  }

  #answer(epoch: Epoch, message: Message, result: unknown): void {
    const arrivesAtMs = this.#timeline.nowMs + this.delayMs();
    const atMs = this.#options.ordered ? Math.max(arrivesAtMs, epoch.lastAnswerMs) : arrivesAtMs;
    epoch.lastAnswerMs = atMs;
    this.#timeline.at(atMs, () => this.#answered(epoch, message, result));
  }

  #answered(epoch: Epoch, message: Message, result: unknown): void {
    if (epoch.state === "broken") return;
    if (this.#answersHeldUntilMs > this.#timeline.nowMs) {
      this.#timeline.at(this.#answersHeldUntilMs, () => this.#answered(epoch, message, result));
      return;
    }
    epoch.unanswered.delete(message);
    this.#machine.deliver(() => {
      if (!message.settled) message.answer(result);
    });
  }

  #nextAccident(): Accident | undefined {
    let found: Accident | undefined;
    for (const planned of [...this.#accidents]) {
      if (planned.left > 0) planned.left -= 1;
      else if (found === undefined) {
        found = planned.accident;
        this.#accidents.splice(this.#accidents.indexOf(planned), 1);
      }
    }
    return found;
  }
}

function newEpoch(): Epoch {
  return {
    state: "open",
    rest: "lost",
    restLateMs: 0,
    unanswered: new Set(),
    lastArrivalMs: 0,
    lastAnswerMs: 0,
  };
}

function connectionLost(): OperationError {
  return new OperationError("the connection was lost; the outcome is unknown", { code: "ERR_CONNECTION_LOST" });
}
