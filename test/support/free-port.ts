import { createServer } from "node:net";

// Below the range from which the system takes the ports of outgoing connections: a server that is restarted
// finds its port still free.
const FIRST = 11_000;
const LAST = 32_000;

/** A port on 127.0.0.1 that nobody listens on right now. Somebody else may take it first: be ready to ask again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
