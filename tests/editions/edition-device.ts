/**
 * A board whose agent is that of the edition which the running firmware contains, and the simulation state in which a
 * scenario begins.
 */
import { SECTOR } from "../../src/constants";
import { OtaAgent as AgentOfThis } from "../../src/agent/agent";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { AgentDevice } from "../powercut/simulation/agent-device";
import type { MakeAgent } from "../powercut/simulation/agent-device";
import { POLICY } from "../powercut/simulation/job-device";
import type { MakeDevice } from "../powercut/simulation/device";
import { TENCENT_DEVICE, platformOf } from "../powercut/simulation/platforms";
import { SimulationState } from "../powercut/simulation/simulation-state";
import { OtaAgent, TencentPlatform } from "./e210eec/agent.mjs";
import type { EditionScenario } from "./scenarios";

/** Edition 1 may follow as a lower version. */
const policy = { ...POLICY, allowDowngrade: true };

export const agentOfEdition1: MakeAgent = (options) =>
  new OtaAgent({ ...options, policy, platform: new TencentPlatform(TENCENT_DEVICE, new NodeCrypto(() => 0.5)) });

const agentOfThis: MakeAgent = (options, scenario) =>
  new AgentOfThis({ ...options, policy, platform: platformOf(scenario) });

export function deviceOf({ editionOf }: EditionScenario): MakeDevice {
  return (surroundings) => {
    const { monitor, simulation } = surroundings;
    const edition = editionOf(monitor.running.version, simulation.ledger.cuts);
    return new AgentDevice(surroundings, undefined, edition === 1 ? agentOfEdition1 : agentOfThis);
  };
}

export function begin({ updates, withoutRecord }: EditionScenario): SimulationState {
  const simulation = SimulationState.begin(updates);
  if (withoutRecord !== true) return simulation;
  const { file } = updates.pushes[0]!;
  simulation.board.powerOn("power-on");
  const { flash, boot } = simulation.board.ports;
  for (let at = 0; at < file.length; at += SECTOR) {
    flash.erase(at / SECTOR);
    flash.write(at, file.slice(at, at + SECTOR));
  }
  boot.verifyTarget();
  boot.activate();
  return simulation;
}
