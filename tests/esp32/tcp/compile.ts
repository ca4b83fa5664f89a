/** Compiles the chip's sockets for this machine, over the fakes beside this file. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiler } from "../native-chip";

const HERE = dirname(fileURLToPath(import.meta.url));
const PORT = join(HERE, "..", "..", "..", "hal", "esp32", "tcp");
const CORE = ["lwip_socket.c", "tcp_connection.c", "udp_endpoint.c", "lwip_notify.c"];
const FAKES = ["fake-lwip/fake_tcpip.c", "fake-lwip/fake_tcp.c", "fake-idf/fake_esp_timer.c", "fake_xs_queue.c"];
const FLAGS = ["-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"];
const INCLUDES = ["fake-lwip", "fake-idf", join("..", "fake-idf"), "fake-xs", join("..", "fake-xs"), "."];

export type Sanitizer = "thread" | "address,undefined";

/** A change of one line of a file of the port: what a test has to notice. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * The C compiler. Throws, with what to install, where it or a sanitizer is not there: a proof that is passed over
 * proves nothing.
 */
export function toolchain(folder: string): string {
  const cc = compiler();
  if (cc === undefined) throw new Error("no C compiler: install gcc or clang (Debian: gcc libc6-dev)");
  const source = join(folder, "try.c");
  writeFileSync(source, "int main(void) { return 0; }\n");
  for (const sanitizer of ["thread", "address,undefined"]) {
    const { status, stderr } = spawnSync(cc, [`-fsanitize=${sanitizer}`, source, "-o", join(folder, "try")], {
      encoding: "utf8",
    });
    if (status !== 0)
      throw new Error(`${cc} has no -fsanitize=${sanitizer}: install libtsan, libasan and libubsan\n${stderr}`);
  }
  return cc;
}

/** The stress test as a program; its path. */
export function buildStress(cc: string, folder: string, sanitizer: Sanitizer, mutation?: Mutation): string {
  const port = mutation === undefined ? PORT : mutated(folder, mutation);
  const program = join(folder, mutation === undefined ? `stress-${sanitizer.split(",")[0]}` : "mutant");
  const flags = [`-fsanitize=${sanitizer}`, "-fno-sanitize-recover=all"];
  const core = CORE.map((file) => {
    const object = join(folder, `${file}.o`);
    run(cc, flags, port, ["-include", join(HERE, "fake_alloc.h"), "-c", join(port, file), "-o", object]);
    return object;
  });
  const sources = ["stress.c", "stress_client.c", "stress_peer.c", ...FAKES].map((file) => join(HERE, file));
  run(cc, flags, port, [...sources, ...core, "-o", program]);
  return program;
}

/** The program of native-sockets.ts; its path. */
export function buildHost(cc: string, folder: string): string {
  const program = join(folder, "sockets-host");
  const sources = ["sockets_host.c", "fake-lwip/loopback.c", ...FAKES].map((file) => join(HERE, file));
  const port = [...CORE, "lwip-sockets.c"].map((file) => join(PORT, file));
  run(cc, ["-fsanitize=undefined", "-fno-sanitize-recover=all"], PORT, [...sources, ...port, "-o", program]);
  return program;
}

function run(cc: string, flags: readonly string[], port: string, rest: readonly string[]): void {
  const includes = [...INCLUDES.map((name) => join(HERE, name)), port].flatMap((path) => ["-I", path]);
  execFileSync(cc, [...FLAGS, ...flags, ...includes, ...rest], { stdio: ["ignore", "ignore", "inherit"] });
}

function mutated(folder: string, { file, from, to }: Mutation): string {
  const copy = join(folder, "port");
  cpSync(PORT, copy, { recursive: true });
  const text = readFileSync(join(PORT, file), "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} does not hold once: ${from}`);
  writeFileSync(join(copy, file), text.replace(from, to));
  return copy;
}
