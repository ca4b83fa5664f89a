import type { SocketError } from "../../src/ports";
import type { ProtocolMachine } from "../../src/protocol/machine";

/** Gives a machine bytes as a driver does, as many at a time as it reads; returns all outputs. */
export function feed<Output>(machine: ProtocolMachine<Output>, bytes: Uint8Array, now: number): Output[] {
  const outputs: Output[] = [];
  for (let at = 0; at < bytes.length;) {
    const target = machine.readTarget();
    const piece = bytes.subarray(at, at + target.length);
    target.set(piece);
    outputs.push(...machine.received(piece.length, now));
    at += piece.length;
  }
  return outputs;
}

export const failure = (message: string): SocketError => ({ kind: "other", message });
