/** A stock Mosquitto as a process of its own, and what an observer sees at it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connectAsync } from "mqtt";
import type { Dialect } from "./dialects";

export interface Broker {
  readonly port: number;
  /** SUBACKs sent so far. */
  readonly subscriptions: number;
  until(is: () => boolean): Promise<void>;
}

/** Starts Mosquitto on a free port. It keeps no state; `children` takes its process. */
export async function startMosquitto(folder: string, children: ChildProcess[]): Promise<Broker> {
  const port = await freePort();
  const config = join(folder, "mosquitto.conf");
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type all\n`);
  const child = spawn("mosquitto", ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  const broker = {
    port,
    subscriptions: 0,
    running: false,
    wake: () => {},
    until: async (is: () => boolean): Promise<void> => {
      while (!is()) await new Promise<void>((resolve) => (broker.wake = resolve));
    },
  };
  createInterface({ input: child.stderr }).on("line", (text) => {
    if (text.includes(" running")) broker.running = true;
    if (/Sending SUBACK to (?!observer)/.test(text)) broker.subscriptions++;
    broker.wake();
  });
  await broker.until(() => broker.running);
  return broker;
}

export interface Reports {
  readonly seen: string[];
  until(is: (seen: readonly string[]) => boolean): Promise<void>;
  stop(): void;
}

/** Reports of devices, as an observer at the broker sees them. */
export async function listen(port: number, { reports, read }: Dialect): Promise<Reports> {
  const client = await connectAsync({
    host: "127.0.0.1",
    port,
    clientId: `observer-${process.pid}`,
    protocolVersion: 4,
  });
  const seen: string[] = [];
  let wake = (): void => {};
  client.on("message", (_topic, payload) => {
    const text = payload.toString();
    // Where topics are shared, the operator's own pushes arrive here too.
    if (!text.includes('"code"')) seen.push(read(JSON.parse(text) as Record<string, unknown>));
    wake();
  });
  await client.subscribeAsync(reports, { qos: 1 });
  const until = async (is: (seen: readonly string[]) => boolean): Promise<void> => {
    while (!is(seen)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { seen, until, stop: () => void client.end(true) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
