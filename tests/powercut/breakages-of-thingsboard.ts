/** Broken devices: what only a client of ThingsBoard can do wrong. The whole agent, its way to the server changed. */
import { OtaAgent } from "../../src/agent/agent";
import type { CloudLink, Platform } from "../../src/platforms/platform";
import type { Breakage } from "./breakages";
import { AgentDevice } from "./simulation/agent-device";
import type { MakeDevice } from "./simulation/device";
import { POLICY } from "./simulation/job-device";
import { platformOf } from "./simulation/platforms";

/** The agent with another link than the right one. */
function withLink(change: (link: CloudLink) => object): MakeDevice {
  return (surroundings) =>
    new AgentDevice(surroundings, undefined, (options, scenario) => {
      const right = platformOf(scenario);
      const platform: Platform = {
        name: right.name,
        rules: right.rules,
        link: (context) => {
          const link = right.link(context);
          return Object.assign(link, change(link));
        },
      };
      return new OtaAgent({ ...options, platform, policy: POLICY });
    });
}

/** Sends something more before a report of this kind, each time. */
const before =
  (kind: string, tell: (report: CloudLink["report"], version: string) => void) =>
  (link: CloudLink): Pick<CloudLink, "report"> => {
    const report = link.report.bind(link);
    return {
      report: (what, token) => {
        if (what.kind === kind && "task" in what) tell(report, what.task.version);
        report(what, token);
      },
    };
  };

export const BREAKAGES_OF_THINGSBOARD: readonly Breakage[] = [
  {
    check: "one outcome",
    device: "tells ThingsBoard UPDATED before the restart",
    scenario: "chunks",
    make: () =>
      withLink(
        before("burning", (report, version) =>
          report({ kind: "outcome", task: { version }, outcome: { kind: "done" } }, undefined),
        ),
      ),
  },
  {
    check: "one outcome",
    device: "does not leave at ThingsBoard what it has settled",
    scenario: "chunks",
    make: () => withLink(() => ({ settle: () => undefined })),
  },
  {
    check: "never wedged",
    device: "does not ask ThingsBoard what is assigned",
    scenario: "chunks",
    make: () => withLink(() => ({ ask: () => undefined })),
  },
];
