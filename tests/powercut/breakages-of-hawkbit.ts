/** Broken devices on hawkBit, most of them as clients in the field are: the whole agent with a platform that does one thing wrong. */
import { OtaAgent } from "../../src/agent/agent";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import type { Report } from "../../src/platforms/platform";
import type { HttpCall } from "../../src/platforms/poll-platform";
import type { Breakage } from "./breakages";
import { AgentDevice } from "./simulation/agent-device";
import type { MakeDevice } from "./simulation/device";
import { HAWKBIT_DEVICE } from "./simulation/hawkbit-side";
import { POLICY } from "./simulation/job-device";

const withPlatform =
  (Platform: typeof HawkbitPlatform): (() => MakeDevice) =>
  () =>
  (surroundings) =>
    new AgentDevice(
      surroundings,
      undefined,
      (options) => new OtaAgent({ ...options, platform: new Platform(HAWKBIT_DEVICE), policy: POLICY }),
    );

/** In place of what the right platform sends for a report. */
const encoding = (
  change: (report: Report, right: (report: Report) => HttpCall | undefined) => HttpCall | undefined,
): (() => MakeDevice) =>
  withPlatform(
    class extends HawkbitPlatform {
      override encode(report: Report): HttpCall | undefined {
        return change(report, (each) => super.encode(each));
      }
    },
  );

const failureOf = (id: string): Report => ({
  kind: "outcome",
  task: { version: "", id },
  outcome: { kind: "fail", cause: "rejected", message: "cancelled" },
});

export const BREAKAGES_OF_HAWKBIT: readonly Breakage[] = [
  {
    check: "one outcome",
    device: "tells success when it begins to install (rauc-hawkbit-updater 161)",
    scenario: "actions",
    kind: "agent",
    make: encoding((report, right) =>
      right(report.kind === "burning" ? { kind: "outcome", task: report.task, outcome: { kind: "done" } } : report),
    ),
  },
  {
    check: "closed for good",
    device: "closes an action with result none",
    scenario: "actions",
    kind: "agent",
    make: encoding((report, right) => {
      const call = right(report);
      return call && { ...call, ...(call.body && { body: call.body.replace('"success"', '"none"') }) };
    }),
  },
  {
    check: "closed for good",
    device: "looks at the document of an action that it has closed (hawkBit 1085)",
    scenario: "actions",
    kind: "agent",
    make: withPlatform(
      class extends HawkbitPlatform {
        override polled(...[answer, running, known]: Parameters<HawkbitPlatform["polled"]>) {
          const polled = super.polled(answer, running, known);
          const [, id] = /installedBase\/(\d+)/.exec(Buffer.from(answer.body).toString()) ?? [];
          if (id === undefined) return polled;
          const call = this.poll();
          return { kind: "follow" as const, call: { ...call, url: `${call.url}/deploymentBase/${id}` } };
        }
      },
    ),
  },
  {
    check: "cancel kept",
    device: "agrees to every cancellation (zephyr 71691)",
    scenario: "stopped",
    kind: "agent",
    make: encoding((report, right) => right(report.kind === "withdrawal" ? { ...report, accepted: true } : report)),
  },
  {
    check: "cancel kept",
    device: "agrees to a cancellation and goes on",
    scenario: "stopped",
    kind: "agent",
    make: withPlatform(
      class extends HawkbitPlatform {
        override polled(...[answer, running, known]: Parameters<HawkbitPlatform["polled"]>) {
          if (answer.url.target.includes("cancelAction"))
            return { kind: "read" as const, incoming: { kind: "unchanged" as const }, known };
          const polled = super.polled(answer, running, known);
          if (polled.kind !== "read" || polled.incoming.kind !== "withdrawn") return polled;
          const { task } = polled.incoming;
          if (task === undefined) return { ...polled, incoming: { kind: "unchanged" as const } };
          return { kind: "follow" as const, call: this.encode({ kind: "withdrawal", task, accepted: true })! };
        }
      },
    ),
  },
  {
    check: "one end an action",
    device: "tells a failure of an action whose cancellation it has agreed to",
    scenario: "stopped",
    kind: "agent",
    make: () => {
      let cancelled: string | undefined;
      return encoding((report, right) => {
        if (report.kind === "withdrawal" && report.accepted) cancelled = report.task.id;
        if (report.kind !== "progress" || cancelled === undefined) return right(report);
        const id = cancelled;
        cancelled = undefined;
        return right(failureOf(id));
      })();
    },
  },
  {
    check: "server's records",
    device: "does not tell its version after a rollback",
    scenario: "actions",
    kind: "agent",
    make: encoding((report, right) => (report.kind === "version" ? undefined : right(report))),
  },
];
