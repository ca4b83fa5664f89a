import type { JSX } from "preact";
import { ask, part, type Views } from "../../api";
import { FlashMapView } from "./flash-map";
import { clock } from "../../format";
import { tell, useAction, useLive } from "../../live";
import { Chip, ProblemNote } from "../../parts";

const FIRMWARE = [
  [undefined, "Good", "The next version, made on the spot"],
  ["throw", "Throws", "Throws at its start: the bootloader rolls it back"],
  ["hang", "Hangs", "Hangs: the watchdog bites, the bootloader rolls it back"],
  ["offline", "Stays offline", "Never reaches the cloud: its trial ends after two minutes"],
] as const;

/** What can be done to a simulated board, and what is in its flash. */
export function BoardPanel({ name }: { name: string }): JSX.Element {
  const { data: board, problem } = useLive<Views["board"]>(`/boards/${part(name)}`, ["boards"], name);
  const action = useAction();
  if (board === undefined) return <ProblemNote problem={problem} />;
  const act = (work: () => Promise<unknown>): void =>
    void action.run(async () => {
      await work();
      tell("boards", [name]);
    });
  return (
    <section class="board">
      <h2>
        Simulated board
        {board.power ? <Chip kind="success">power on</Chip> : <Chip kind="cancelled">power off</Chip>}
        {board.weak && <Chip kind="upgrading">weak link</Chip>}
        {board.trial === true && <Chip kind="upgrading">on trial</Chip>}
      </h2>
      <Controls board={board} busy={action.busy} act={act} />
      <ProblemNote
        problem={action.problem ?? (board.problem === undefined ? undefined : `The board went off: ${board.problem}`)}
      />
      <FlashMapView name={name} power={board.power} />
      <Events name={name} />
    </section>
  );
}

function Controls({
  board: { name, power, weak },
  busy,
  act,
}: {
  board: Views["board"];
  busy: boolean;
  act: (work: () => Promise<unknown>) => void;
}): JSX.Element {
  const path = `/boards/${part(name)}`;
  return (
    <div class="controls">
      <div class="group" role="group" aria-label="power and link">
        <button
          type="button"
          class={power ? "danger" : "primary"}
          disabled={busy}
          onClick={() => act(() => ask("PUT", `${path}/power`, { on: !power }))}
        >
          {power ? "Cut the power" : "Restore the power"}
        </button>
        <button
          type="button"
          aria-pressed={weak}
          disabled={busy}
          onClick={() => act(() => ask("PUT", `${path}/link`, { weak: !weak }))}
        >
          {weak ? "Back to a good link" : "Weaken the link"}
        </button>
      </div>
      <div class="group" role="group" aria-label="push firmware">
        <span class="of">Push firmware</span>
        {FIRMWARE.map(([fault, label, hint]) => (
          <button
            key={label}
            type="button"
            class={fault === undefined ? "" : "bad"}
            aria-label={`push firmware: ${label.toLowerCase()}`}
            title={hint}
            disabled={busy}
            onClick={() => act(() => ask("POST", `${path}/firmware`, fault === undefined ? {} : { fault }))}
          >
            {label}
          </button>
        ))}
      </div>
    </div>
  );
}

function Events({ name }: { name: string }): JSX.Element | null {
  const { data } = useLive<{ items: { at: number; event: Record<string, unknown> }[] }>(
    `/boards/${part(name)}/events`,
    ["boards"],
    name,
  );
  const items = (data?.items ?? [])
    .filter(
      ({ event }) =>
        !(event["event"] === "state" && event["state"] === "downloading" && Number(event["percent"]) % 25 !== 0),
    )
    .slice(-12);
  if (items.length === 0) return null;
  return (
    <ol class="events" aria-label="what the board reports, newest first">
      {items.toReversed().map(({ at, event }, index) => (
        <li key={`${at} ${items.length - index}`}>
          <span class="when mono">{clock(at)}</span>
          <span>{describeEvent(event)}</span>
        </li>
      ))}
    </ol>
  );
}

/** The states that the agent is in, as what it does. */
const STATE_TEXTS: Readonly<Record<string, string>> = {
  verifying: "verifies what is in flash",
  expanding: "makes the image from the container",
  installing: "hands it to the installer of the module",
  burning: "makes it the next to boot",
  "awaiting-link": "waits for the cloud before it restarts",
  deciding: "finds out whether the cloud can be reached",
  trial: "tries the new firmware out",
  done: "reports done",
  idle: "waits for an update",
};

/** An event of `xs-ota device`. */
function describeEvent(event: Record<string, unknown>): string {
  const text = (key: string): string => String(event[key] ?? "");
  switch (event["event"]) {
    case "boot":
      return `boots ${text("version")} from ${text("slot")}${event["trial"] === true ? ", on trial" : ""} (${text("reason")})`;
    case "offer":
      return `is offered ${text("version")}, ${Number(event["size"]).toLocaleString()} bytes`;
    case "resume":
      return `resumes at byte ${text("offset")}`;
    case "state":
      if (event["state"] === "downloading") return `has downloaded ${text("percent")} %`;
      return event["state"] === "fail"
        ? `fails with ${text("code")}: ${text("message")}`
        : (STATE_TEXTS[text("state")] ?? text("state"));
    case "trial":
      return `is on trial for another ${text("secondsLeft")} s: ${text("stage")}`;
    case "bootloader":
      return event["rollsBack"] === true ? "has a bootloader with rollback" : "has a bootloader without rollback";
    case "budget":
      return `has ${text("left")} ${text("counter")} left for ${text("version")}`;
    case "sleep":
      return `sleeps for ${text("seconds")} s`;
    case "reboot":
      return `restarts into ${text("slot")}`;
    case "confirmed":
      return `confirms ${text("version")}`;
    case "rollback":
      return `rolls ${text("version")} back`;
    case "recording":
      return `has recorded the failure: ${text("reference")}`;
    case "reset":
      return `is reset (${text("reason")}): ${text("message")}`;
    case "bricked":
      return `does not boot: ${text("message")}`;
    default:
      return `${text("event")} ${text("message")}`;
  }
}
