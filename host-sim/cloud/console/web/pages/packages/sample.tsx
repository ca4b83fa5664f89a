import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Views } from "../../api";
import { tell, useAction } from "../../live";
import { Dialog, ProblemNote } from "../../parts";

const FAULTS = [
  ["", "Good: boots and reaches the cloud"],
  ["throw", "Throws at its start"],
  ["hang", "Hangs"],
  ["offline", "Never reaches the cloud"],
] as const;

/** Makes an image that simulated boards boot. */
export function SampleDialog({ close }: { close: () => void }): JSX.Element {
  const [version, setVersion] = useState("0.2.0");
  const [fault, setFault] = useState("");
  const action = useAction();
  const make = (event: Event): void => {
    event.preventDefault();
    void action
      .run(async () => {
        const { id } = await ask<Views["package"]>("POST", "/packages/samples", {
          version: version.trim(),
          size: 700_000,
          ...(fault === "" ? {} : { fault }),
        });
        tell("packages", [id]);
      })
      .then((done) => done && close());
  };
  return (
    <Dialog title="Make a sample image" close={close}>
      <form onSubmit={make}>
        <p class="faint">The agent's own bundle in an ESP image of 700,000 bytes, as simulated boards boot it.</p>
        <label>
          Version
          <input
            type="text"
            required
            pattern="[0-9A-Za-z][0-9A-Za-z.+_\-]*"
            title="Letters, digits, dots, plus, minus and underscores, such as 0.2.0"
            value={version}
            maxLength={31}
            onInput={(event) => setVersion(event.currentTarget.value)}
          />
        </label>
        <label>
          Behaviour
          <select value={fault} onChange={(event) => setFault(event.currentTarget.value)}>
            {FAULTS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <ProblemNote problem={action.problem} />
        <footer>
          <button type="submit" class="primary" disabled={action.busy}>
            {action.busy ? "Making it …" : "Make it"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
