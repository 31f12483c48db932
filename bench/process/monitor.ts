import { connect, type Socket } from "node:net";

/**
 * Counts the commands that clients send to a server, whoever they are; what scripts do is not counted. A socket of its
 * own, because ioredis takes what a busy server reports at once after MONITOR for the reply to another command.
 */
export class Monitor {
  readonly #socket: Socket;
  readonly #mark: string;
  readonly #onStart: () => void;
  #count = 0;
  #rest = "";
  #onMark: (count: number) => void = () => {};

  /** @param mark an argument by which the last command that matters is recognised */
  static start(url: string, mark: string): Promise<Monitor> {
    return new Promise((resolve, reject) => {
      const monitor = new Monitor(new URL(url), mark, () => resolve(monitor));
      monitor.#socket.once("error", reject);
    });
  }

  private constructor({ hostname, port }: URL, mark: string, onStart: () => void) {
    this.#mark = mark;
    this.#onStart = onStart;
    this.#socket = connect(Number(port), hostname);
    this.#socket.setEncoding("latin1").on("data", (chunk: string) => this.#read(chunk));
    this.#socket.write("MONITOR\r\n");
  }

  /** Resolves, when the mark has come, to the number of commands before it. */
  async untilMark(): Promise<number> {
    const count = await new Promise<number>((resolve) => {
      this.#onMark = resolve;
    });
    this.#socket.destroy();
    return count;
  }

  /** One line per command: `+1795419266.605406 [0 127.0.0.1:40262] "SET" "key" "value"`, or `[0 lua]`. */
  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split("\r\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "+OK") this.#onStart();
      else if (line.includes(this.#mark)) this.#onMark(this.#count);
      else if (!/^\S+ \[\d+ lua\]/.test(line)) this.#count += 1;
    }
  }
}
