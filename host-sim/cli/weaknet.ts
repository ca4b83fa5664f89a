import { InvalidArgumentError, Option, type Command } from "commander";
import { WEAK, WeakLink, type Target } from "../faults/weak-link";
import { orFail } from "./errors";
import { hostArgument } from "./arguments";
import { outliveOutput } from "./output";

interface WeaknetFlags {
  readonly broker: Target;
  readonly files: Target;
  readonly port: number;
  readonly filesPort: number;
  readonly host: string;
  readonly rate: number;
  readonly latency: number;
  readonly jitter: number;
  readonly resetEvery: number;
  readonly stallEvery: number;
  readonly stallFor: number;
  readonly seed: number;
}

/** `xs-ota weaknet`. */
export function register(program: Command): void {
  program
    .command("weaknet")
    .summary("put a weak link between devices and their cloud")
    .description(
      "Relays TCP to a broker and a file server as a weak link does: slow, late, with stalls and resets, never changing a byte. " +
        "Devices are given its ports: mqtt.port in device.json, and `xs-ota cloud --download-origin` for what they download. " +
        "Without options it is a cell at the edge of its range; 0 switches a fault off. Prints one JSON line with its ports on " +
        "stdout and runs until interrupted.",
    )
    .addOption(
      new Option("--broker <host:port>", "where MQTT leads to")
        .argParser(target)
        .default({ host: "127.0.0.1", port: 1883 }, "127.0.0.1:1883"),
    )
    .addOption(
      new Option("--files <host:port>", "where downloads lead to")
        .argParser(target)
        .default({ host: "127.0.0.1", port: 8080 }, "127.0.0.1:8080"),
    )
    .option("--port <port>", "MQTT port of this side; 0 takes a free one", number(0, 65_535), 11_883)
    .option("--files-port <port>", "download port of this side; 0 takes a free one", number(0, 65_535), 18_080)
    .option("--host <address>", "address to listen on", hostArgument, "127.0.0.1")
    .option("--rate <bytes>", "bytes per second each way, for all connections together", number(0, 1e9), WEAK.rate)
    .option("--latency <ms>", "each way", number(0, 60_000), WEAK.latency)
    .option("--jitter <ms>", "by which latency varies, at most", number(0, 60_000), WEAK.jitter)
    .option("--reset-every <seconds>", "a connection is reset so often, on average", number(0, 86_400), WEAK.resetEvery)
    .option("--stall-every <seconds>", "a connection stalls so often, on average", number(0, 86_400), WEAK.stallEvery)
    .option("--stall-for <seconds>", "a stall lasts so long", number(0, 3_600), WEAK.stallFor)
    .option("--seed <number>", "of the random faults: the same seed gives the same", number(0, 2 ** 32 - 1), 1)
    .action(orFail(run));
}

async function run(flags: WeaknetFlags): Promise<void> {
  outliveOutput();
  const { broker, files, port, filesPort, host, seed, rate, resetEvery, stallEvery, latency, jitter, stallFor } = flags;
  const link = await WeakLink.open({
    targets: [
      { ...broker, listen: port },
      { ...files, listen: filesPort },
    ],
    host,
    seed,
    quality: {
      latency,
      jitter,
      stallFor,
      ...(rate > 0 ? { rate } : {}),
      ...(resetEvery > 0 ? { resetEvery } : {}),
      ...(stallEvery > 0 ? { stallEvery } : {}),
    },
  });
  const [brokerPort, downloadPort] = link.ports;
  process.stdout.write(
    `${JSON.stringify({ broker: { host, port: brokerPort }, files: { host, port: downloadPort } })}\n`,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void link.close().then(() => process.exit(0)));
}

function target(text: string): Target {
  const [, host, digits] = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]/]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535))
    throw new InvalidArgumentError("It is host:port, such as 127.0.0.1:1883.");
  return { host: host.replace(/^\[|\]$/g, ""), port };
}

function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
    return value;
  };
}
