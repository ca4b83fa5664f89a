/** The agent's state, from its notices, for a screen: one headline, one bar, one line of detail. */
import type { Notice, Running } from "xs-ota";

export type Mood = "calm" | "busy" | "trial" | "good" | "bad";

export interface Status {
  readonly version: string;
  readonly slot: string;
  readonly confirmed: boolean;
  readonly mood: Mood;
  readonly headline: string;
  readonly detail: string;
  /** Version on its way, and how much of it has arrived: percent. */
  readonly offered: string | undefined;
  readonly percent: number | undefined;
  /** Bytes of the file on its way; 0 = unknown. */
  readonly size: number;
}

export const firstStatus = (running: Running): Status => {
  const confirmed = running.state !== "pending" && running.state !== "new";
  return {
    version: running.version,
    slot: running.slot,
    confirmed,
    mood: confirmed ? "calm" : "trial",
    headline: confirmed ? "Waiting" : "On trial",
    detail: confirmed ? "for an update" : "must reach the cloud to stay",
    offered: undefined,
    percent: undefined,
    size: 0,
  };
};

const KIB = 1024;
export const kib = (bytes: number): string => `${Math.round(bytes / KIB)} KiB`;

export const nextStatus = (before: Status, notice: Notice): Status => {
  switch (notice.event) {
    case "offer":
      return {
        ...before,
        mood: "busy",
        headline: "Update offered",
        detail: "",
        offered: notice.version,
        percent: 0,
        size: notice.size,
      };
    case "resume":
      return { ...before, detail: `resumed at ${kib(notice.offset)}` };
    case "trial":
      return {
        ...before,
        mood: "trial",
        headline: "On trial",
        detail: `${notice.stage}; ${notice.secondsLeft} s left`,
      };
    case "reboot":
      return { ...before, mood: "busy", headline: "Restarting", detail: `into ${notice.slot}` };
    case "confirmed":
      return { ...before, mood: "good", confirmed: true, headline: "Confirmed", detail: "" };
    case "rollback":
      return { ...before, mood: "bad", headline: "Rolled back", detail: `from ${notice.version}`, percent: undefined };
    case "warning":
      return { ...before, detail: notice.message };
    case "sleep":
      return { ...before, mood: "calm", headline: "Asleep", detail: `for ${notice.seconds} s` };
    case "budget":
    case "bootloader":
      return before;
    case "state":
      return afterState(before, notice);
  }
};

const afterState = (before: Status, notice: Extract<Notice, { event: "state" }>): Status => {
  switch (notice.state) {
    case "downloading":
      return { ...before, mood: "busy", headline: `Downloading ${notice.percent} %`, percent: notice.percent };
    case "verifying":
      return { ...before, mood: "busy", headline: "Verifying", detail: "digest of what is in flash", percent: 100 };
    case "expanding":
      return { ...before, mood: "busy", headline: "Expanding", detail: "what was downloaded" };
    case "burning":
      return { ...before, mood: "busy", headline: "Installing", detail: "image proven", percent: 100 };
    case "installing":
      return { ...before, mood: "busy", headline: "Installing", detail: "", percent: 100 };
    case "awaiting-link":
      return { ...before, mood: "busy", headline: "Installed", detail: "waits for the cloud before it restarts" };
    case "deciding":
      return { ...before, mood: "busy", headline: "Rolled back", detail: "looks whether the cloud is there" };
    case "trial":
      return { ...before, mood: "trial", headline: "On trial", detail: "must reach the cloud to stay" };
    case "done":
      return { ...before, mood: "good", headline: "Up to date", detail: "", percent: undefined };
    case "idle":
      return { ...before, mood: "calm", headline: "Waiting", detail: "for an update", percent: undefined };
    case "fail":
      return {
        ...before,
        mood: "bad",
        headline: `${notice.version} failed`,
        detail: notice.message,
        percent: undefined,
      };
  }
};
