/** The serial line of a loader as a TCP port, for programs that take `socket://`. It has neither DTR nor RTS. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import type { RomLoader } from "./rom-loader";

export async function listenForLoader(loader: RomLoader): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((socket) => {
    loader.onSend = (bytes) => void socket.write(bytes);
    socket.on("data", (bytes) => loader.receive(bytes));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}
