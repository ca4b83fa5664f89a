/** What a device printed, in a few words. */
type Line = Readonly<Record<string, unknown>>;

/** Progress and warnings are left out, and what is said again. */
export function deedsOf(lines: Iterable<Line>): string {
  const deeds: string[] = [];
  for (const line of lines) {
    const deed = deedOf(line);
    if (deed !== undefined && deed !== deeds.at(-1)) deeds.push(deed);
  }
  return deeds.join(", ");
}

function deedOf({ event, version, offset, state, message, trial }: Line): string | undefined {
  switch (event) {
    case "boot":
      return `boots ${String(version)}${trial === true ? " on trial" : ""}`;
    case "offer":
      return `is offered ${String(version)}`;
    case "resume":
      return `resumes at ${String(offset)}`;
    case "state":
      return state === "fail" ? `fail (${String(message)})` : String(state);
    case "reboot":
      return "reboots";
    case "confirmed":
      return `confirms ${String(version)}`;
    case "rollback":
      return `rolls ${String(version)} back`;
    default:
      return undefined;
  }
}
