/**
 * When nothing happens in this process any more. Bytes between two sockets of this process need no time, but turns of
 * the event loop; how many, and how long each takes, depends on the machine. A round trip over a loopback connection of
 * its own tells when the kernel has handed over what was sent before.
 */
import { once } from "node:events";
import { connect, createServer, Socket as NetSocket } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/**
 * Round trips without anything else. Twelve are too few where a TLS handshake passes a relay while five other devices
 * share the event loop: the clock jumps before the server has answered. A hundred leave room.
 */
const ROUND_TRIPS = 100;
/**
 * Requests to the system that are under way, by their names in `process.getActiveResourcesInfo()`. A write may wait for
 * a reader for ever.
 */
const REQUESTS = /^(FSReq|CloseReq|ConnectWrap|GetAddrInfoReq|GetNameInfoReq|QueryReq|DNS|.*Job$|Zlib)/;

interface Probe {
  readonly near: Socket;
  readonly far: Socket;
}

let probe: Promise<Probe> | undefined;

async function openProbe(): Promise<Probe> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const near = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
  const [far] = (await accepted) as [Socket];
  server.close();
  far.setNoDelay(true);
  // The probe keeps no process alive.
  for (const socket of [near, far]) socket.unref();
  return { near, far };
}

/** One byte from one end to the other and back. */
async function roundTrip(): Promise<void> {
  const { near, far } = await (probe ??= openProbe());
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    // While it is awaited it does keep the process alive.
    to.ref();
    const arrived = once(to, "data");
    from.write("!");
    await arrived;
    to.unref();
  }
}

let running: Promise<void> | undefined;
let following: Promise<void> | undefined;

/** A round trip that begins from now on. Those who ask during one share the next. */
function freshTrip(): Promise<void> {
  if (running === undefined) return (running = roundTrip().finally(() => (running = undefined)));
  return (following ??= running.then(() => {
    following = undefined;
    return freshTrip();
  }));
}

/**
 * Bytes that the sockets of this process have read and written so far, the probe's apart: while they change, a peer in
 * this process is still at work.
 */
function bytesMoved({ near, far }: Probe): number {
  // Not documented, but there in every release of Node; no documented call lists the sockets of a process.
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  return handles.reduce<number>(
    (sum, each) =>
      each instanceof NetSocket && each !== near && each !== far ? sum + each.bytesRead + each.bytesWritten : sum,
    handles.length,
  );
}

/**
 * Resolves once `seen` yielded the same over many round trips, no socket of this process moved a byte meanwhile, and no
 * request to the system is under way. `seen` counts what happens.
 */
export async function quiet(seen: () => number): Promise<void> {
  const ends = await (probe ??= openProbe());
  const count = (): number => seen() + bytesMoved(ends);
  for (let trips = 0, last = count(); trips < ROUND_TRIPS; trips++) {
    await freshTrip();
    const now = count();
    if (now !== last || process.getActiveResourcesInfo().some((name) => REQUESTS.test(name))) trips = -1;
    last = now;
  }
}
