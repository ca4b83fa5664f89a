/**
 * Updates from whatever real file servers, limiters and brokers this machine has in PATH: clean, with a power cut in
 * mid-download, and through limiters. What is missing is named and skipped.
 *
 *     npm run test:servers [-- part of a name ...]
 */
import { Aedes } from "aedes";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleImage } from "../host-sim/board/firmware/sample-image";
import { Authority } from "../host-sim/cloud/core/listeners/certificates";
import { BROKERS, FILE_SERVERS, LIMITERS } from "./servers/programs";
import type { Program } from "./servers/programs";
import { missing, start, stopAll, versionOf } from "./servers/running";
import { NEW, update } from "./servers/update";
import type { Figures, Image } from "./servers/update";

const SIZE = 400_000;
/** What a limiter may cost, per update. */
const REPORTS_MAX = 4;
const CONNECTIONS_MAX = 6;

const folder = mkdtempSync(join(tmpdir(), "xs-ota-servers-"));
const files = join(folder, "files");
const parts = process.argv.slice(2);
const skipped: string[] = [];
const failures: string[] = [];

const chosen = (programs: readonly Program[]): readonly Program[] =>
  programs.filter((program) => {
    if (parts.length > 0 && !parts.some((part) => program.name.toLowerCase().includes(part.toLowerCase())))
      return false;
    const lacking = missing(program);
    if (lacking !== undefined) skipped.push(`${program.name} (${lacking})`);
    return lacking === undefined;
  });

const row = (...cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);

const makeImage = async (): Promise<Image> => {
  const bytes = await sampleImage(NEW, undefined, SIZE);
  mkdirSync(files);
  writeFileSync(join(files, "firmware.bin"), bytes);
  return { name: "firmware.bin", size: bytes.length, md5: createHash("md5").update(bytes).digest("hex") };
};

const embeddedBroker = async (): Promise<number> => {
  const broker = await Aedes.createBroker();
  const server = createServer((socket) => broker.handle(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};

const makeCertificate = async (authority: Authority) => {
  const { certificate, key } = await authority.server(["localhost", "127.0.0.1"]);
  const paths = {
    certificate: join(folder, "chain.pem"),
    key: join(folder, "key.pem"),
    root: join(folder, "root.pem"),
  };
  writeFileSync(paths.certificate, certificate);
  writeFileSync(paths.key, key, { mode: 0o600 });
  writeFileSync(paths.root, authority.root);
  return paths;
};

/** The figures of each run; a failure is noted, and the others go on. */
const attempt = async (name: string, run: () => Promise<readonly (string | number)[]>): Promise<void> => {
  try {
    row(name, ...(await run()));
  } catch (error) {
    failures.push(`${name}: ${(error as Error).message}`);
    row(name, `FAILED: ${(error as Error).message}`);
  }
};

const image = await makeImage();
const authority = await Authority.create("ec");
const paths = await makeCertificate(authority);
const given = { files, certificate: paths.certificate, key: paths.key };

/** The TLS servers once more, with the TLS session of the chip's firmware. */
const chipSessions = async (): Promise<void> => {
  const programs = chosen(FILE_SERVERS.filter(({ tls }) => tls === true));
  if (programs.length === 0) return;
  if (process.env["MODDABLE"] === undefined) return void skipped.push("the chip's own TLS session (MODDABLE)");
  const { sessions } = await import("./servers/chip-tls");
  head("TLS server", "the chip's own session over the sockets of the SDK: bytes", "over those of the chip: bytes");
  const running = [];
  for (const program of programs) running.push({ program, server: await start(program, folder, given) });
  const servers = running.map(({ program, server: { port } }) => ({ title: program.name, port }));
  const sdk = await sessions(folder, authority, servers, "SDK");
  const chip = await sessions(folder, authority, servers, "chip");
  for (const [index, { program, server }] of running.entries()) {
    await attempt(`${program.name} ${versionOf(program)}`, async () => {
      const both = [sdk[index]!, chip[index]!];
      const problem = both.find((session) => session.problem !== undefined)?.problem;
      if (problem !== undefined) throw new Error(problem);
      return both.map(({ received }) => received);
    });
    await server.stop();
  }
};

const head = (...cells: readonly string[]): void => {
  console.log("");
  row(...cells);
  row(...cells.map(() => "---"));
};

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => (stopAll(), rmSync(folder, { recursive: true, force: true }), process.exit(1)));

try {
  const broker = await embeddedBroker();
  const cells = ({ connections, bytes, seconds }: Figures): (string | number)[] => [
    connections,
    (bytes / image.size).toFixed(2),
    seconds,
  ];

  head("file server", "connections", "bytes of the file", "s", "with a power cut: connections", "bytes", "s");
  for (const program of chosen(FILE_SERVERS))
    await attempt(`${program.name} ${versionOf(program)}`, async () => {
      const server = await start(program, folder, given);
      const file = { port: server.port, tls: program.tls === true, root: paths.root };
      const clean = await update({ folder, broker, file, image });
      const cut = await update({ folder, broker, file, image, cutAt: 50 });
      await server.stop();
      return [...cells(clean), ...cells(cut)];
    });

  head("limiter", "connections", "version reports", "s");
  for (const program of chosen(LIMITERS))
    await attempt(`${program.name}, ${program.commands[0]} ${versionOf(program)}`, async () => {
      const server = await start(program, folder, given);
      const file = { port: server.port, tls: false, root: paths.root };
      const { connections, versionReports, seconds } = await update({ folder, broker, file, image });
      await server.stop();
      if (versionReports > REPORTS_MAX) throw new Error(`${versionReports} version reports`);
      if (connections > CONNECTIONS_MAX) throw new Error(`${connections} connections`);
      return [connections, versionReports, seconds];
    });

  head("broker", "version reports", "s", "with a power cut: version reports", "s");
  const plain = FILE_SERVERS.find((each) => missing(each) === undefined);
  for (const program of plain === undefined ? [] : chosen(BROKERS))
    await attempt(`${program.name} ${versionOf(program)}`, async () => {
      const broker = await start(program, folder, given);
      const server = await start(plain!, folder, given);
      const file = { port: server.port, tls: false, root: paths.root };
      const clean = await update({ folder, broker: broker.port, file, image });
      const cut = await update({ folder, broker: broker.port, file, image, cutAt: 50 });
      await broker.stop();
      await server.stop();
      return [clean.versionReports, clean.seconds, cut.versionReports, cut.seconds];
    });

  await chipSessions();

  console.log(`\n${skipped.length === 0 ? "nothing" : [...new Set(skipped)].join(", ")} skipped`);
  console.log(failures.length === 0 ? "ok" : `failed: ${failures.join("; ")}`);
  if (failures.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
