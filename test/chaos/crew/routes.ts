import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

type Options = net.TcpNetConnectOpts;

/**
 * From now on, whatever this process connects to goes through a proxy of its own. Servers tell clients their addresses,
 * Sentinels and clusters those of others; none of them knows of the proxies.
 */
export function routeConnections(routes: Readonly<Record<number, number>>): void {
  const { createConnection } = net;
  const routed = (options: Options, ...more: (() => void)[]): net.Socket => {
    const port = routes[options.port];
    if (port === undefined) throw new Error(`A connection to port ${options.port}, which is no server of this run`);
    return createConnection({ ...options, port }, ...more);
  };
  net.createConnection = routed as typeof net.createConnection;
  net.connect = net.createConnection;
  syncBuiltinESMExports();
}
