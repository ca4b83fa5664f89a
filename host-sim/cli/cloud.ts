import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { exposure } from "../board/config/exposure";
import { fileReason } from "../board/config/file-errors";
import { bracketed } from "../board/config/host-name";
import { readText } from "../board/config/text-file";
import { createCloudHost, type CloudHost } from "../cloud/cloud-host";
import type { Cloud } from "../cloud/core/cloud";
import type { CloudOptions, CloudTls } from "../cloud/core/cloud-options";
import { narrate } from "./cloud-progress";
import { demoDevice, deviceOf, newDevice, parseDevice, readDevices, type NamedDevice } from "./cloud-devices";
import { givenCertificate, keptAuthority, writeClientCertificate, ROOT_FILE } from "./cloud-tls";
import { orFail } from "./errors";
import { onEnter } from "./foreground";
import { readPrivateKey } from "./signing/keys";
import { hostArgument, originArgument } from "./arguments";
import { outliveOutput, print } from "./output";

interface CloudFlags {
  readonly port: number;
  readonly mqttPort: number;
  readonly httpsPort: number;
  readonly mqttsPort: number;
  readonly host: string;
  readonly publicHost?: string;
  readonly publicUrl?: string;
  readonly state: string;
  readonly memory?: boolean;
  readonly network?: boolean;
  readonly broker?: string;
  readonly brokerCa?: string;
  readonly packages?: string;
  readonly deltas: number;
  readonly deltaKey?: string;
  readonly device?: readonly NamedDevice[];
  readonly newDevice?: readonly string[];
  readonly devices?: string;
  readonly push?: string;
  readonly throttle?: number;
  readonly urlLifetime?: number;
  readonly downloadOrigin?: string;
  readonly tls?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsRoot?: string;
  readonly engine: "xs" | "node";
}

/** `xs-ota cloud`. */
export function register(program: Command): void {
  const command = program
    .command("cloud")
    .summary("run the local OTA cloud with its console")
    .description(
      "Runs an OTA cloud on this machine: an MQTT broker, Tencent's and ThingsPanel's side of the update protocol, a file " +
        "server with ranges and signed URLs, and a console in the browser. The link to the console is printed on stderr and " +
        "opens it once; Enter prints another. What happens goes to stderr too; the device.json of each device that is named " +
        "here goes to stdout, one line each. Runs until interrupted.",
    )
    .argument("[images...]", "firmware files to offer; each names its own version")
    .option("--port <port>", "HTTP port of console, API and downloads; 0 takes a free one", portNumber, 8080)
    .option("--mqtt-port <port>", "MQTT port; 0 takes a free one", portNumber, 1883)
    .option("--host <address>", "address to listen on; 0.0.0.0 for all of this machine's", hostArgument, "127.0.0.1")
    .option("--public-host <name>", "name or address under which devices reach this machine", hostArgument)
    .option(
      "--public-url <url>",
      "scheme, host and port of a reverse proxy in front of the HTTP port, such as https://ota.example.com/; downloads and links name it",
      originArgument,
    )
    .option("--network", "let other machines use console and API too")
    .option("--state <folder>", "everything that outlives the process is kept there", ".xs-ota/cloud")
    .option("--memory", "keep nothing")
    .option(
      "--broker <url>",
      "use that broker, mqtt://host:port or mqtts://host:port, in place of the built-in one; XS_OTA_BROKER_USERNAME and XS_OTA_BROKER_PASSWORD name the account",
    )
    .option("--broker-ca <file>", "PEM of the root to trust there")
    .option(
      "--device <id>",
      "productId/deviceName/deviceSecret, or thingspanel/v0/accessToken/module (v1 as well, the module if it has one); may be repeated",
      collectDevice,
    )
    .option(
      "--new-device <name>",
      "a new device with a secret made here, thingspanel-v0/NAME or -v1/NAME for one of ThingsPanel's; may be repeated",
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .option("--devices <file>", "JSON list of devices, each as in the vendor's device_info.json or a device.json")
    .option("--push <version>", "update the devices named here to that version; without any, a demo device is made")
    .option("--throttle <bytes>", "bytes per second for each download connection", positive)
    .option("--url-lifetime <seconds>", "validity of a download URL (default: 86400)", positive)
    .option(
      "--download-origin <url>",
      "scheme, host and port that download URLs name, such as those of a weaknet",
      originArgument,
    )
    .addOption(
      new Option("--engine <engine>", "what runs the firmware of simulated boards")
        .choices(["xs", "node"])
        .default("xs"),
    )
    .action(orFail(run));
  packageOptions(command);
  tlsOptions(command);
}

function packageOptions(command: Command): void {
  command
    .option("--packages <folder>", "keep the firmware files there")
    .option(
      "--deltas <count>",
      "older packages of its product that each uploaded image is compared with, to make a container of it; 0 for none",
      deltaCount,
      3,
    )
    .option("--delta-key <file>", "private key that signs these containers: devices with signing keys take no others");
}

function tlsOptions(command: Command): void {
  command
    .option("--tls <folder>", "MQTT and HTTPS over TLS as well; the certificate authority is kept there")
    .option(
      "--tls-cert <file>",
      "PEM of a certificate from elsewhere, in place of --tls; its issuers follow it in the file",
    )
    .option("--tls-key <file>", "PEM of its private key")
    .option("--tls-root <file>", "PEM of the root that devices trust then; default: one that they have")
    .option("--mqtts-port <port>", "port of MQTT over TLS", portNumber, 8883)
    .option("--https-port <port>", "HTTPS port", portNumber, 8443);
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(images: readonly string[], flags: CloudFlags): Promise<void> {
  outliveOutput();
  const listed = flags.devices === undefined ? [] : readDevices(flags.devices);
  const named = [...(flags.device ?? []), ...(flags.newDevice ?? []).map(newDevice), ...listed];
  const keyless = named.find(({ certificate }) => certificate !== undefined);
  if (keyless && flags.tls === undefined)
    throw new Error(`device ${keyless.certificate?.deviceName} has no secret, and certificates need --tls`);
  const root = rootOf(flags);
  const host = await createCloudHost({
    cloud: await cloudOptions(flags),
    engine: flags.engine,
    deltas: flags.deltas,
    ...(flags.deltaKey === undefined ? {} : { deltaKey: signingKey(flags.deltaKey) }),
    network: flags.network === true,
    ...(root === undefined ? {} : { rootFile: root }),
    failed: say,
  });
  const { cloud } = host;
  try {
    for (const path of images) await addImage(cloud, path);
    const target = flags.push === undefined ? undefined : packageOf(cloud, flags.push);
    const identities = named.length > 0 || !target ? named : [demoDevice(cloud)];
    const devices = identities.map((identity) => deviceOf(cloud, identity));
    narrate(cloud, say);
    await host.start();
    untilSignal(() => void host.close().then(() => process.exit(0)));
    describe(host);
    for (const [index, device] of devices.entries()) {
      if (target) cloud.push(device, target);
      const config = JSON.stringify(await configOf(cloud, device, identities[index]!, flags));
      await print(`${config}\n`).catch((error: Error) => say(`device.json of ${device}: ${error.message}`));
    }
  } catch (error) {
    await host.close();
    throw error;
  }
  onEnter(() => say(`console: ${host.link()}`));
}

function signingKey(path: string): KeyObject {
  const exposed = exposure(path);
  if (exposed !== undefined) say(`warning: ${exposed}`);
  return readPrivateKey(path);
}

async function cloudOptions(flags: CloudFlags): Promise<CloudOptions> {
  const {
    port: httpPort,
    httpsPort,
    mqttPort,
    mqttsPort,
    host,
    publicHost,
    publicUrl,
    packages,
    throttle,
    urlLifetime,
    downloadOrigin,
    broker,
  } = flags;
  const certificate = await certificateOf(flags);
  return {
    host,
    httpPort,
    mqttPort,
    ...(flags.memory === true ? {} : { state: resolve(flags.state) }),
    ...(broker === undefined ? {} : { broker: brokerOptions(broker, flags.brokerCa) }),
    ...(publicHost === undefined ? {} : { publicHost }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(packages === undefined ? {} : { packages }),
    ...(throttle === undefined ? {} : { throttle }),
    ...(urlLifetime === undefined ? {} : { urlLifetime }),
    ...(downloadOrigin === undefined ? {} : { downloadOrigin }),
    ...(certificate === undefined ? {} : { tls: { ...certificate, mqttPort: mqttsPort, httpsPort } }),
  };
}

/** What proves the cloud to devices: an authority of its own, or what somebody else issued. */
async function certificateOf({
  tls,
  tlsCert,
  tlsKey,
  tlsRoot,
}: CloudFlags): Promise<Pick<CloudTls, "authority" | "clientCertificates" | "credentials"> | undefined> {
  if (tlsCert === undefined && tlsKey === undefined && tlsRoot === undefined) {
    return tls === undefined ? undefined : { authority: await keptAuthority(tls, say), clientCertificates: true };
  }
  if (tls !== undefined) throw new Error("--tls makes a certificate; --tls-cert brings one: one of them");
  if (tlsCert === undefined || tlsKey === undefined) throw new Error("--tls-cert and --tls-key belong together");
  return { credentials: givenCertificate(tlsCert, tlsKey, tlsRoot) };
}

function brokerOptions(url: string, caFile: string | undefined): NonNullable<CloudOptions["broker"]> {
  const { XS_OTA_BROKER_USERNAME: username, XS_OTA_BROKER_PASSWORD: password } = process.env;
  const ca = caFile === undefined ? undefined : readText(caFile);
  return {
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  };
}

async function addImage(cloud: Cloud, path: string): Promise<void> {
  try {
    await cloud.packages.add(await readFile(path), { name: basename(path) });
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path}: ${syscall === undefined ? message : fileReason(error)}`, { cause: error });
  }
}

function packageOf(cloud: Cloud, version: string): ReturnType<Cloud["packages"]["find"]> {
  const found = cloud.packages.find(version);
  if (found) return found;
  const known = [...new Set(cloud.packages.list().map((file) => file.version))];
  throw new Error(`no firmware of version ${version}; there is ${known.length > 0 ? known.join(", ") : "none at all"}`);
}

/** What devices trust, named in full. */
function rootOf({ tls, tlsRoot }: CloudFlags): string | undefined {
  if (tls !== undefined) return resolve(tls, ROOT_FILE);
  return tlsRoot === undefined ? undefined : resolve(tlsRoot);
}

/** Its device.json; the files it names, in the folder given by --tls, are named in full. */
async function configOf(
  cloud: Cloud,
  device: string,
  { certificate }: NamedDevice,
  flags: CloudFlags,
): Promise<Record<string, unknown>> {
  const config = cloud.deviceConfig(device, rootOf(flags));
  const folder = flags.tls;
  if (folder === undefined || certificate === undefined || !cloud.tls?.authority) return config;
  return { ...config, cert_deviceinfo: await writeClientCertificate(folder, cloud.tls.authority, certificate) };
}

function describe(host: CloudHost): void {
  const { cloud } = host;
  const [name, broker] = [bracketed(cloud.publicHost), bracketed(cloud.brokerHost)];
  const plain = [
    cloud.mqttPort > 0 && `mqtt://${broker}:${cloud.mqttPort}`,
    cloud.httpPort > 0 && cloud.publicUrl === undefined && `http://${name}:${cloud.httpPort}`,
  ];
  const secure = [
    cloud.mqttsPort > 0 && `mqtts://${broker}:${cloud.mqttsPort}`,
    cloud.httpsPort > 0 && `https://${name}:${cloud.httpsPort}`,
  ];
  for (const addresses of [plain, secure]) if (addresses.some(Boolean)) say(addresses.filter(Boolean).join("  "));
  if (cloud.publicUrl !== undefined)
    say(`${cloud.publicUrl} is to lead to HTTP port ${cloud.httpPort} of this machine`);
  for (const file of cloud.packages.list()) {
    say(
      `firmware ${file.version}: ${file.name}, ${file.size} bytes, md5 ${file.md5}${file.project === undefined ? "" : `, product ${file.project}`}`,
    );
    if (file.problem !== undefined) say(`warning: ${file.name} boots nowhere: ${file.problem}`);
  }
  say(`console: ${host.link()}`);
  if (host.apiTokenFile !== undefined) say(`API token for scripts: ${host.apiTokenFile}`);
}

/** Once: a second signal ends the process as usual. Who started it with a channel may end first. */
function untilSignal(stop: () => void): void {
  for (const end of ["SIGINT", "SIGTERM", "disconnect"]) process.once(end, stop);
  if (process.connected === false) stop();
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("A port is 0 to 65535.");
  return port;
}

function deltaCount(text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) > 31) throw new InvalidArgumentError("It is 0 to 31.");
  return Number(text);
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError("It is a whole number above 0.");
  return Number(text);
}

function collectDevice(text: string, before: readonly NamedDevice[] = []): NamedDevice[] {
  try {
    return [...before, parseDevice(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
