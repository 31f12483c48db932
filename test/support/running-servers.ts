/** The servers that this process started and has not stopped. In a file of its own, to be looked at without a client. */
export const runningServers: Set<{ readonly url: string }> = new Set();
