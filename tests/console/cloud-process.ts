import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CloudClient } from "../../host-sim/cloud/fleet/cloud-client";

const COMMAND = fileURLToPath(new URL("../../host-sim/bin/xs-ota.mjs", import.meta.url));

export interface CloudProcess {
  /** The one-time link, as printed. */
  readonly link: string;
  readonly origin: string;
  readonly client: CloudClient;
  /** What stderr said so far. */
  said(): string;
  /** Ends it as Ctrl-C does; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** `xs-ota cloud` as somebody types it, on free ports. */
export async function startCloud(state: string, ...flags: string[]): Promise<CloudProcess> {
  const child = spawn(
    process.execPath,
    [COMMAND, "cloud", "--port", "0", "--mqtt-port", "0", "--state", state, ...flags],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const closed = once(child, "close") as Promise<[number | null]>;
  const lines: string[] = [];
  const link = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      const found = /^console: (\S+)$/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    void closed.then(() => reject(new Error(`the cloud ended: ${lines.at(-1) ?? ""}`)));
  });
  const { origin } = new URL(link);
  const token = (await readFile(join(state, "api-token"), "utf8")).trim();
  return {
    link,
    origin,
    client: new CloudClient(origin, token),
    said: () => lines.join("\n"),
    stop: async () => {
      child.kill("SIGINT");
      return (await closed)[0];
    },
  };
}
