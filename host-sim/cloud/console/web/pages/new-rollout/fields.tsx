/** The fields of a new rollout: what, for whom, how, when. */
import type { ComponentChildren, JSX } from "preact";
import type { Views } from "../../api";
import { bytes, plural } from "../../format";
import { namesIn, percentagesIn, WAVES, type Edit } from "./draft";

export function PackageField({ draft, set, packages }: Edit & { packages: Views["package"][] }): JSX.Element {
  return (
    <fieldset>
      <legend>What</legend>
      <label>
        Package
        <select value={draft.file} onChange={(event) => set({ file: event.currentTarget.value })}>
          {packages.map(({ id, version: its, name, size, problem }) => (
            <option key={id} value={id}>
              {its} · {name} · {bytes(size)}
              {problem !== undefined && " · would not boot"}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  );
}

export function TargetFields({
  draft,
  set,
  devices,
  selected,
}: Edit & { devices: Views["deviceList"]; selected: readonly string[] }): JSX.Element {
  const target = { name: "target", now: draft.target, set: (value: typeof draft.target) => set({ target: value }) };
  return (
    <fieldset>
      <legend>For whom</legend>
      <Radio {...target} value="all">
        All devices <span class="faint">({devices.total}, without those that run it already)</span>
      </Radio>
      <Radio {...target} value="version">
        Devices on version{" "}
        <select
          aria-label="present version"
          value={draft.version}
          onChange={(event) => set({ version: event.currentTarget.value, target: "version" })}
        >
          {devices.versions.map((one) => (
            <option key={one.version} value={one.version}>
              {one.version === "" ? "never reported" : one.version} ({one.count})
            </option>
          ))}
        </select>
      </Radio>
      {selected.length > 0 && (
        <Radio {...target} value="selected">
          {plural(selected.length, "selected device")}
        </Radio>
      )}
      <Radio {...target} value="names">
        A list of device names
      </Radio>
      {draft.target === "names" && <NamesField draft={draft} set={set} />}
    </fieldset>
  );
}

function NamesField({ draft, set }: Edit): JSX.Element {
  return (
    <label>
      <span class="hidden">device names</span>
      <textarea
        rows={5}
        class="mono"
        placeholder={"board-1\nboard-2"}
        value={draft.names}
        onInput={(event) => set({ names: event.currentTarget.value })}
      />
      <span class="faint">{plural(namesIn(draft).length, "name")}, separated by line breaks, blanks or commas</span>
    </label>
  );
}

export function WaveFields({ draft, set }: Edit): JSX.Element {
  return (
    <fieldset>
      <legend>How</legend>
      <label>
        Waves
        <select value={draft.waves} onChange={(event) => set({ waves: event.currentTarget.value })}>
          {WAVES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {draft.waves === "" && (
        <label>
          Percent of the devices after each wave
          <input type="text" value={draft.ownWaves} onInput={(event) => set({ ownWaves: event.currentTarget.value })} />
        </label>
      )}
      <div class="columns">
        <NumberField
          label="Failure limit, %"
          id="limit-hint"
          hint="Halts when more of the devices asked have failed."
          min={0}
          max={100}
          step="any"
          placeholder="none"
          value={draft.limit}
          set={(limit) => set({ limit })}
        />
        <NumberField
          label="Time limit, minutes"
          id="timeout-hint"
          hint="A device without a result by then has failed."
          min={1}
          max={10_080}
          placeholder="none"
          value={draft.timeout}
          set={(timeout) => set({ timeout })}
        />
        {percentagesIn(draft).length > 1 && (
          <NumberField
            label="Pause, minutes"
            id="pause-hint"
            hint="Between the end of a wave and the next one."
            min={0}
            max={10_080}
            step="any"
            value={draft.pause}
            set={(pause) => set({ pause })}
          />
        )}
      </div>
    </fieldset>
  );
}

function NumberField({
  label,
  id,
  hint,
  set,
  ...input
}: {
  label: string;
  id: string;
  hint: string;
  min: number;
  max: number;
  step?: string;
  placeholder?: string;
  value: string;
  set: (value: string) => void;
}): JSX.Element {
  return (
    <label>
      {label}
      <input type="number" {...input} aria-describedby={id} onInput={(event) => set(event.currentTarget.value)} />
      <span id={id} class="faint">
        {hint}
      </span>
    </label>
  );
}

export function StartFields({ draft, set }: Edit): JSX.Element {
  const when = { name: "when", now: draft.later, set: (later: boolean) => set({ later }) };
  return (
    <fieldset>
      <legend>When</legend>
      <Radio {...when} value={false}>
        Now
      </Radio>
      <Radio {...when} value>
        At{" "}
        <input
          type="datetime-local"
          aria-label="start"
          value={draft.startAt}
          onInput={(event) => set({ startAt: event.currentTarget.value, later: true })}
        />
      </Radio>
    </fieldset>
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
  children: ComponentChildren;
}): JSX.Element {
  return (
    <label class="radio">
      <input type="radio" name={name} checked={now === value} onChange={() => set(value)} />
      <span>{children}</span>
    </label>
  );
}
