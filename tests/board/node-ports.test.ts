import { NodeClock } from "../../host-sim/board/node-clock";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { NodeNetwork } from "../../host-sim/board/node-network";
import { clockContract } from "../contract/clock";
import { cryptoContract } from "../contract/crypto";
import { networkContract } from "../contract/network";

networkContract("Node's sockets", (trust) => ({ network: new NodeNetwork(trust), close: () => {} }));
cryptoContract("Node's crypto", () => new NodeCrypto());
clockContract("Node's clock", () => {
  const clock = new NodeClock();
  return { clock, close: () => clock.clearAll() };
});
