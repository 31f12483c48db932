import type { Subject } from "../contestants/contestant.ts";
import { type Assignment, ContestantProcess } from "./contestant-process.ts";
import { Observer } from "./observer.ts";

/** What a role has around it: a look at the server, another client, other processes. */
export class Stage {
  readonly observer: Observer;
  /** Opens the same contestant once more, on connections of its own. */
  readonly openAnother: () => Promise<Subject>;
  readonly #assignment: Assignment;
  #crew: ContestantProcess[] = [];

  constructor(assignment: Assignment, openAnother: () => Promise<Subject>) {
    this.#assignment = assignment;
    this.openAnother = openAnother;
    this.observer = new Observer(assignment.url);
  }

  /** Further processes of the same contestant; they live as long as this one. */
  async crew(size: number): Promise<readonly ContestantProcess[]> {
    if (this.#crew.length === 0) {
      const members = Array.from({ length: size }, (_, i) => ContestantProcess.start(this.#assignment, i + 1));
      this.#crew = await Promise.all(members);
    }
    return this.#crew;
  }

  /** One more process of the same contestant, for the caller to end. */
  startProcess(): Promise<ContestantProcess> {
    return ContestantProcess.start(this.#assignment, 1);
  }
}
