import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { createCloud, type Cloud } from "../cloud/cloud";
import type { TencentDevice } from "../cloud/tencent-access";
import { narrate } from "./cloud-progress";
import { demoDevice, parseDevice, readDevices } from "./cloud-devices";
import { keptAuthority, writeClientCertificate, ROOT_FILE } from "./cloud-tls";

interface CloudFlags {
  readonly port: number;
  readonly mqttPort: number;
  readonly httpsPort: number;
  readonly mqttsPort: number;
  readonly host: string;
  readonly publicHost?: string;
  readonly packages?: string;
  readonly device: readonly TencentDevice[];
  readonly devices?: string;
  readonly push?: string;
  readonly throttle?: number;
  readonly urlLifetime?: number;
  readonly tls?: string;
}

/** `xs-ota cloud`. */
export function register(program: Command): void {
  program
    .command("cloud")
    .summary("run the local OTA cloud")
    .description(
      "Runs an OTA cloud on this machine: an MQTT broker, Tencent's side of the update protocol and a file server\n" +
        "with ranges and signed URLs. Prints the device.json of each device on stdout, one line each, and what\n" +
        "happens on stderr; runs until interrupted.",
    )
    .argument("[images...]", "firmware files to offer; each names its own version")
    .option("--port <port>", "HTTP port; 0 takes a free one", portNumber, 8080)
    .option("--mqtt-port <port>", "MQTT port; 0 takes a free one", portNumber, 1883)
    .option("--host <address>", "address to listen on; 0.0.0.0 for all of this machine's", "127.0.0.1")
    .option("--public-host <name>", "name or address under which devices reach this machine")
    .option("--packages <folder>", "keep the firmware files there, over restarts")
    .option("--device <id>", "productId/deviceName/deviceSecret; may be repeated", collectDevice, [])
    .option("--devices <file>", "JSON list of devices, each as in the vendor's device_info.json")
    .option("--push <version>", "update every device to that version")
    .option("--throttle <bytes>", "bytes per second for each download connection", positive)
    .option("--url-lifetime <seconds>", "life of a download URL (default: 86400)", positive)
    .option("--tls <folder>", "MQTT and HTTPS over TLS as well; the certificate authority is kept there")
    .option("--mqtts-port <port>", "port of MQTT over TLS", portNumber, 8883)
    .option("--https-port <port>", "HTTPS port", portNumber, 8443)
    .action(async (images: string[], flags: CloudFlags, command: Command) => {
      try {
        await run(images, flags);
      } catch (error) {
        command.error(`error: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
}

async function run(images: readonly string[], flags: CloudFlags): Promise<void> {
  const listed = flags.devices === undefined ? [] : await readDevices(flags.devices);
  const given = [...flags.device, ...listed];
  const identities = given.length > 0 ? given : [demoDevice()];
  const keyless = identities.find(({ deviceSecret }) => deviceSecret === undefined);
  if (keyless && flags.tls === undefined) throw new Error(`device ${keyless.deviceName} has no secret, and certificates need --tls`);
  const cloud = await openCloud(flags);
  for (const path of images) await addImage(cloud, path);
  const devices = identities.map((identity) => cloud.tencent.addDevice(identity));
  const target = flags.push === undefined ? undefined : packageOf(cloud, flags.push);

  narrate(cloud, (line) => process.stderr.write(`${line}\n`));
  await cloud.start();
  const stop = (): void => void cloud.stop();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  describe(cloud);
  for (const [index, device] of devices.entries()) {
    if (target) cloud.push(device, target);
    process.stdout.write(`${JSON.stringify(await configOf(cloud, device, identities[index]!, flags.tls))}\n`);
  }
}

async function openCloud(flags: CloudFlags): Promise<Cloud> {
  const { port: httpPort, httpsPort, mqttPort, mqttsPort, host, publicHost, packages, throttle, urlLifetime, tls } = flags;
  return createCloud({
    host,
    httpPort,
    mqttPort,
    ...(publicHost === undefined ? {} : { publicHost }),
    ...(packages === undefined ? {} : { packages }),
    ...(throttle === undefined ? {} : { throttle }),
    ...(urlLifetime === undefined ? {} : { urlLifetime }),
    ...(tls === undefined
      ? {}
      : { tls: { authority: await keptAuthority(tls), mqttPort: mqttsPort, httpsPort, clientCertificates: true } }),
  });
}

async function addImage(cloud: Cloud, path: string): Promise<void> {
  try {
    await cloud.packages.add(await readFile(path), { name: basename(path) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path}: ${code === "ENOENT" ? "there is no such file" : message}`, { cause: error });
  }
}

function packageOf(cloud: Cloud, version: string): ReturnType<Cloud["packages"]["find"]> {
  const found = cloud.packages.find(version);
  if (found) return found;
  const known = [...new Set(cloud.packages.list().map((file) => file.version))];
  throw new Error(`no firmware of version ${version}; there is ${known.length > 0 ? known.join(", ") : "none at all"}`);
}

/** Its device.json; the files it names, in the folder given by --tls, are named in full. */
async function configOf(
  cloud: Cloud,
  device: string,
  identity: TencentDevice,
  folder: string | undefined,
): Promise<Record<string, unknown>> {
  if (folder === undefined) return cloud.deviceConfig(device);
  const config = cloud.deviceConfig(device, resolve(folder, ROOT_FILE));
  if (identity.deviceSecret !== undefined || !cloud.authority) return config;
  return { ...config, cert_deviceinfo: await writeClientCertificate(folder, cloud.authority, identity) };
}

function describe(cloud: Cloud): void {
  const name = cloud.publicHost.includes(":") ? `[${cloud.publicHost}]` : cloud.publicHost;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  say(`mqtt://${name}:${cloud.mqttPort}  http://${name}:${cloud.httpPort}`);
  if (cloud.mqttsPort > 0) say(`mqtts://${name}:${cloud.mqttsPort}  https://${name}:${cloud.httpsPort}`);
  for (const file of cloud.packages.list()) {
    say(`firmware ${file.version}: ${file.name}, ${file.size} bytes, md5 ${file.md5}${file.project === undefined ? "" : `, project ${file.project}`}`);
  }
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("A port is 0 to 65535.");
  return port;
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError("It is a whole number above 0.");
  return Number(text);
}

function collectDevice(text: string, before: readonly TencentDevice[]): TencentDevice[] {
  try {
    return [...before, parseDevice(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
