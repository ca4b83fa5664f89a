import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Views } from "../api";
import { bytes, plural } from "../format";
import { tell, useAction, useLive } from "../live";
import { goTo, linkTo } from "../location";
import { Empty, Head, ProblemNote } from "../parts";

type Target = "all" | "version" | "selected" | "names";
type Created = Views["createdRollout"];

const WAVES = [
  ["100", "Everybody at once"],
  ["10, 100", "Two waves: 10 %, then the rest"],
  ["5, 25, 100", "Three waves: 5 %, 25 %, then the rest"],
  ["1, 5, 20, 50, 100", "Five waves: 1, 5, 20, 50 %, then the rest"],
  ["", "Waves of my own"],
] as const;

export function NewRolloutPage({ query }: { query: URLSearchParams }): JSX.Element {
  const packages = useLive<{ items: Views["package"][] }>("/packages", ["packages"]);
  const devices = useLive<Views["deviceList"]>("/devices?limit=1", ["devices"]);
  const selected = query.has("selected") ? selectedDevices() : [];
  if (packages.data === undefined || devices.data === undefined)
    return <ProblemNote problem={packages.problem ?? devices.problem} />;
  if (packages.data.items.length === 0)
    return <Missing title="There is no firmware to roll out" page="packages" first="Add a package first" />;
  if (devices.data.total === 0)
    return <Missing title="There is no device to update" page="devices" first="Add a device first" />;
  return (
    <Form
      packages={packages.data.items}
      devices={devices.data}
      selected={selected}
      first={query.get("package") ?? undefined}
    />
  );
}

/** What has to be there before, and the page where it is added. */
function Missing({ title, page, first }: { title: string; page: "packages" | "devices"; first: string }): JSX.Element {
  return (
    <>
      <Head title="New rollout" above={<a href={linkTo("rollouts")}>Rollouts</a>} />
      <Empty title={title}>
        <a class="button primary" href={linkTo(page)}>
          {first}
        </a>
      </Empty>
    </>
  );
}

/** Left by the devices page. */
function selectedDevices(): string[] {
  try {
    return JSON.parse(sessionStorage.getItem("xs-ota-selected") ?? "[]") as string[];
  } catch {
    return [];
  }
}

function Form({
  packages,
  devices,
  selected,
  first,
}: {
  packages: Views["package"][];
  devices: Views["deviceList"];
  selected: string[];
  first: string | undefined;
}): JSX.Element {
  const [file, setFile] = useState(packages.some(({ id }) => id === first) ? first! : packages[0]!.id);
  const [target, setTarget] = useState<Target>(selected.length > 0 ? "selected" : "all");
  const [version, setVersion] = useState(devices.versions.find((one) => one.version !== "")?.version ?? "");
  const [names, setNames] = useState("");
  const [waves, setWaves] = useState<string>(WAVES[0][0]);
  const [ownWaves, setOwnWaves] = useState("5, 25, 100");
  const [limit, setLimit] = useState("10");
  const [pause, setPause] = useState("0");
  const [timeout, setTimeoutMinutes] = useState("30");
  const [later, setLater] = useState(false);
  const [startAt, setStartAt] = useState("");
  const [partial, setPartial] = useState<Created | undefined>();
  const action = useAction();
  const list = names.split(/[\s,;]+/).filter((name) => name !== "");
  const percentages = (waves === "" ? ownWaves : waves)
    .split(/[\s,;]+/)
    .filter((one) => one !== "")
    .map(Number);

  const create = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      const selection =
        target === "all"
          ? { kind: "all" }
          : target === "version"
            ? { kind: "version", version }
            : target === "selected"
              ? { kind: "devices", devices: selected }
              : { kind: "names", names: list };
      if (target === "names" && list.length === 0) throw new Error("Paste at least one device name.");
      if (percentages.some(Number.isNaN)) throw new Error("Waves are percentages, such as 5, 25, 100.");
      const at = later ? new Date(startAt).getTime() : undefined;
      if (at !== undefined && Number.isNaN(at)) throw new Error("Say when it is to start.");
      const made = await ask<Created>("POST", "/rollouts", {
        package: file,
        selection,
        waves: percentages,
        ...(limit === "" ? {} : { failureLimit: Number(limit) }),
        ...(timeout === "" ? {} : { timeout: Math.round(Number(timeout) * 60) }),
        pause: Math.round(Number(pause) * 60),
        ...(at === undefined ? {} : { startAt: at }),
      });
      tell("rollouts", true);
      if (made.unknown.length > 0) setPartial(made);
      else goTo("rollouts", made.rollout.id);
    });
  };
  if (partial !== undefined) return <Partial made={partial} />;
  return (
    <>
      <Head title="New rollout" above={<a href={linkTo("rollouts")}>Rollouts</a>} />
      <form class="sheet" onSubmit={create}>
        <fieldset>
          <legend>What</legend>
          <label>
            Package
            <select value={file} onChange={(event) => setFile(event.currentTarget.value)}>
              {packages.map(({ id, version: its, name, size, problem }) => (
                <option key={id} value={id}>
                  {its} · {name} · {bytes(size)}
                  {problem !== undefined && " · would not boot"}
                </option>
              ))}
            </select>
          </label>
        </fieldset>
        <fieldset>
          <legend>For whom</legend>
          <Radio name="target" value="all" now={target} set={setTarget}>
            All devices <span class="faint">({devices.total}, without those that run it already)</span>
          </Radio>
          <Radio name="target" value="version" now={target} set={setTarget}>
            Devices on version{" "}
            <select
              aria-label="present version"
              value={version}
              onChange={(event) => {
                setVersion(event.currentTarget.value);
                setTarget("version");
              }}
            >
              {devices.versions.map((one) => (
                <option key={one.version} value={one.version}>
                  {one.version === "" ? "never reported" : one.version} ({one.count})
                </option>
              ))}
            </select>
          </Radio>
          {selected.length > 0 && (
            <Radio name="target" value="selected" now={target} set={setTarget}>
              {plural(selected.length, "selected device")}
            </Radio>
          )}
          <Radio name="target" value="names" now={target} set={setTarget}>
            A list of device names
          </Radio>
          {target === "names" && (
            <label>
              <span class="hidden">device names</span>
              <textarea
                rows={5}
                class="mono"
                placeholder={"board-1\nboard-2"}
                value={names}
                onInput={(event) => setNames(event.currentTarget.value)}
              />
              <span class="faint">{plural(list.length, "name")}, separated by line breaks, blanks or commas</span>
            </label>
          )}
        </fieldset>
        <fieldset>
          <legend>How</legend>
          <label>
            Waves
            <select value={waves} onChange={(event) => setWaves(event.currentTarget.value)}>
              {WAVES.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          {waves === "" && (
            <label>
              Percent of the devices after each wave
              <input type="text" value={ownWaves} onInput={(event) => setOwnWaves(event.currentTarget.value)} />
            </label>
          )}
          <div class="columns">
            <label>
              Failure limit, %
              <input
                type="number"
                min={0}
                max={100}
                step="any"
                value={limit}
                placeholder="none"
                aria-describedby="limit-hint"
                onInput={(event) => setLimit(event.currentTarget.value)}
              />
              <span id="limit-hint" class="faint">
                Halts when more of the devices asked have failed.
              </span>
            </label>
            <label>
              Time limit, minutes
              <input
                type="number"
                min={1}
                max={10080}
                value={timeout}
                placeholder="none"
                aria-describedby="timeout-hint"
                onInput={(event) => setTimeoutMinutes(event.currentTarget.value)}
              />
              <span id="timeout-hint" class="faint">
                A device without a result by then has failed.
              </span>
            </label>
            {percentages.length > 1 && (
              <label>
                Pause, minutes
                <input
                  type="number"
                  min={0}
                  max={10080}
                  step="any"
                  value={pause}
                  aria-describedby="pause-hint"
                  onInput={(event) => setPause(event.currentTarget.value)}
                />
                <span id="pause-hint" class="faint">
                  Between the end of a wave and the next one.
                </span>
              </label>
            )}
          </div>
        </fieldset>
        <fieldset>
          <legend>When</legend>
          <Radio name="when" value={false} now={later} set={setLater}>
            Now
          </Radio>
          <Radio name="when" value now={later} set={setLater}>
            At{" "}
            <input
              type="datetime-local"
              aria-label="start"
              value={startAt}
              onInput={(event) => {
                setStartAt(event.currentTarget.value);
                setLater(true);
              }}
            />
          </Radio>
        </fieldset>
        <ProblemNote problem={action.problem} />
        <footer>
          <button type="submit" class="primary" disabled={action.busy}>
            {later ? "Schedule" : "Start the rollout"}
          </button>
          <a class="button quiet" href={linkTo("rollouts")}>
            Back
          </a>
        </footer>
      </form>
    </>
  );
}

function Radio<T extends string | boolean>({
  name,
  value,
  now,
  set,
  children,
}: {
  name: string;
  value: T;
  now: T;
  set: (value: T) => void;
  children: preact.ComponentChildren;
}): JSX.Element {
  return (
    <label class="radio">
      <input type="radio" name={name} checked={now === value} onChange={() => set(value)} />
      <span>{children}</span>
    </label>
  );
}

function Partial({ made }: { made: Created }): JSX.Element {
  return (
    <>
      <Head title="Started, but not for all" />
      <p class="note problem" role="alert">
        {plural(made.unknown.length, "name is", "names are")} unknown, or not the only one of that name:{" "}
        <span class="mono">{made.unknown.slice(0, 20).join(", ")}</span>
        {made.unknown.length > 20 && " …"}
      </p>
      <p>The rollout runs for the other {plural(made.rollout.devices, "device")}.</p>
      <a class="button primary" href={linkTo("rollouts", made.rollout.id)}>
        Go to the rollout
      </a>
    </>
  );
}
