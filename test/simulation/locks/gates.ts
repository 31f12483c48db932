const PREFIX = "gate:";

interface Gate {
  /** The highest token that was shown to it, */
  shown: number;
  /** and that it admitted. */
  admitted: number;
}

/** What must be true of fence gates: none admits a token after a higher one, or refuses the highest. */
export class Gates {
  readonly #fail: (what: string) => void;
  readonly #gates = new Map<string, Gate>();
  /** The store has lost something of these. */
  readonly #lost = new Set<string>();

  constructor(fail: (what: string) => void) {
    this.#fail = fail;
  }

  /** A token is shown to a gate; returns what is to be told how that ended. */
  shown(name: string, token: number): (outcome: "admitted" | "refused") => void {
    const gate = this.#gates.get(name) ?? { shown: 0, admitted: 0 };
    this.#gates.set(name, gate);
    gate.shown = Math.max(gate.shown, token);
    const admittedBefore = gate.admitted;
    return (outcome) => {
      if (this.#lost.has(name)) return;
      if (outcome === "admitted" && token < admittedBefore) {
        this.#fail(`the gate of ${name} admitted ${token} after ${admittedBefore}`);
      }
      if (outcome === "refused" && gate.shown <= token) this.#fail(`the gate of ${name} refused ${token}, the highest`);
      if (outcome === "admitted") gate.admitted = Math.max(gate.admitted, token);
    };
  }

  /** The store has lost something of a key. */
  onLoss(key: string): void {
    if (key.startsWith(PREFIX)) this.#lost.add(key.slice(PREFIX.length + 1, -1));
  }
}
