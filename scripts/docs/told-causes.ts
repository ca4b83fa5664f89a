/** The table of docs/NETWORK.md of causes that were injected, and what is told of their recordings. */
import { explanationNamed } from "../../host-sim/replay/explanations/explanations";
import { ALIKE, INJECTIONS } from "../../tests/replay/injections";

export function toldCauses(): string {
  const told = [...new Set(INJECTIONS.map(({ told }) => told))];
  const rows = told.map((name) => {
    const causes = INJECTIONS.filter((each) => each.told === name).map(({ does }) => does);
    const exact = causes.length === 1 ? "exactly" : `not apart: ${ALIKE[name]}`;
    return `| ${causes.join("; ")} | ${explanationNamed(name)?.sentence} | ${exact} |`;
  });
  return ["| injected | told | apart from others |", "|---|---|---|", ...rows].join("\n");
}
