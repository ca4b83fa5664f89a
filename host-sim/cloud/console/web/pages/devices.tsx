import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Views } from "../api";
import { plural, platformName } from "../format";
import { tell, useAction, useLive } from "../live";
import { goTo, linkTo } from "../location";
import { Ago, Chip, Empty, Head, Online, Pages, ProblemNote, Progress, StatusChip } from "../parts";
import { AddDeviceDialog } from "./add-device";

const LIMIT = 50;

export function DevicesPage({ query }: { query: URLSearchParams }): JSX.Element {
  const [search, setSearch] = useState("");
  const [version, setVersion] = useState(query.get("version") ?? "*");
  const [status, setStatus] = useState("");
  const [offset, setOffset] = useState(0);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [adding, setAdding] = useState(false);
  const action = useAction();
  const wanted = new URLSearchParams({
    limit: String(LIMIT),
    offset: String(offset),
    ...(search === "" ? {} : { search }),
    ...(version === "*" ? {} : { version }),
    ...(status === ""
      ? {}
      : status === "online" || status === "offline"
        ? { online: String(status === "online") }
        : { status }),
  });
  const { data, problem } = useLive<Views["deviceList"]>(`/devices?${wanted.toString()}`, ["devices", "boards"]);
  const [last, setLast] = useState<Views["deviceList"] | undefined>();
  if (data !== undefined && data !== last) setLast(data);
  const shown = data ?? last;
  const filtered = search !== "" || version !== "*" || status !== "";
  const filter =
    <T,>(set: (value: T) => void) =>
    (value: T): void => {
      set(value);
      setOffset(0);
    };
  const toggle = (id: string, on: boolean): void => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    setSelected(next);
  };
  const board = (): void =>
    void action.run(async () => {
      await ask<Views["board"]>("POST", "/boards", {});
      tell("devices", true);
    });
  const rollOut = (): void => {
    sessionStorage.setItem("xs-ota-selected", JSON.stringify([...selected]));
    goTo("rollouts", "new", { selected: String(selected.size) });
  };
  const none = shown?.total === 0 && !filtered;
  return (
    <>
      <Head title="Devices">
        <button type="button" class="primary" disabled={action.busy} onClick={board}>
          {action.busy ? "Starting a board …" : "Add a simulated board"}
        </button>
        <button type="button" onClick={() => setAdding(true)}>
          Add a device
        </button>
      </Head>
      <ProblemNote problem={problem ?? action.problem} />
      {none && (
        <Empty title="No device yet">
          <p>
            A simulated board is running in a second or two. A real one needs the device.json that you get when you add
            it here.
          </p>
          <button type="button" disabled={action.busy} onClick={board}>
            {action.busy ? "Starting a board …" : "Add a simulated board"}
          </button>
        </Empty>
      )}
      {shown !== undefined && !none && (
        <>
          <div class="filters" role="search">
            <label>
              <span class="hidden">Search by name</span>
              <input
                type="search"
                placeholder="Search by name"
                value={search}
                onInput={(event) => filter(setSearch)(event.currentTarget.value)}
              />
            </label>
            <label>
              <span class="hidden">Version</span>
              <select value={version} onChange={(event) => filter(setVersion)(event.currentTarget.value)}>
                <option value="*">Every version</option>
                {shown.versions.map((one) => (
                  <option key={one.version} value={one.version}>
                    {one.version === "" ? "never reported" : one.version} ({one.count})
                  </option>
                ))}
              </select>
            </label>
            <label>
              <span class="hidden">State</span>
              <select value={status} onChange={(event) => filter(setStatus)(event.currentTarget.value)}>
                <option value="">Every state</option>
                {["online", "offline", "pending", "pushed", "upgrading", "success", "failure", "cancelled"].map(
                  (one) => (
                    <option key={one}>{one}</option>
                  ),
                )}
              </select>
            </label>
            <span class="faint">{plural(shown.total, "device")}</span>
            {selected.size > 0 && (
              <button type="button" class="primary end" onClick={rollOut}>
                Roll out to {selected.size} selected
              </button>
            )}
          </div>
          {shown.items.length === 0 ? (
            <Empty title="No device fits">
              <button
                type="button"
                onClick={() => {
                  setSearch("");
                  setVersion("*");
                  setStatus("");
                  setOffset(0);
                }}
              >
                Show all
              </button>
            </Empty>
          ) : (
            <table class="list">
              <caption class="hidden">devices</caption>
              <thead>
                <tr>
                  <th scope="col" class="narrow">
                    <input
                      type="checkbox"
                      aria-label="select all on this page"
                      checked={shown.items.every(({ id }) => selected.has(id))}
                      onChange={(event) => {
                        const next = new Set(selected);
                        for (const { id } of shown.items)
                          if (event.currentTarget.checked) next.add(id);
                          else next.delete(id);
                        setSelected(next);
                      }}
                    />
                  </th>
                  <th scope="col">Device</th>
                  <th scope="col">Version</th>
                  <th scope="col">Slot</th>
                  <th scope="col">Last seen</th>
                  <th scope="col">Last update</th>
                </tr>
              </thead>
              <tbody>
                {shown.items.map((device) => (
                  <Row
                    key={device.id}
                    device={device}
                    selected={selected.has(device.id)}
                    select={(on) => toggle(device.id, on)}
                  />
                ))}
              </tbody>
            </table>
          )}
          <Pages total={shown.total} offset={offset} limit={LIMIT} go={setOffset} />
        </>
      )}
      {adding && <AddDeviceDialog close={() => setAdding(false)} />}
    </>
  );
}

function Row({
  device,
  selected,
  select,
}: {
  device: Views["device"];
  selected: boolean;
  select: (on: boolean) => void;
}): JSX.Element {
  const { id, name, platform, online, version, slot, lastSeen, task, board } = device;
  return (
    <tr class={selected ? "selected" : ""}>
      <td class="narrow">
        <input
          type="checkbox"
          aria-label={`select ${name}`}
          checked={selected}
          onChange={(event) => select(event.currentTarget.checked)}
        />
      </td>
      <th scope="row" data-label="Device">
        <a href={linkTo("devices", id)}>{name}</a> <Online online={online} />
        <span class="under">
          {platformName(platform)}
          {board !== undefined && " · simulated"}
        </span>
      </th>
      <td data-label="Version">{version ?? <span class="faint keep">not reported</span>}</td>
      <td data-label="Slot" class={slot === undefined ? "nil" : ""}>
        {slot ?? <span class="faint">—</span>}
      </td>
      <td data-label="Last seen">
        <Ago at={lastSeen} />
      </td>
      <td data-label="Last update" class={task === undefined ? "nil" : ""}>
        {task === undefined ? <span class="faint">none</span> : <TaskCell task={task} />}
      </td>
    </tr>
  );
}

export function TaskCell({ task }: { task: Views["task"] }): JSX.Element {
  return (
    <span class="task">
      <StatusChip status={task.status} /> to {task.version}
      {task.status === "upgrading" && <Progress percent={task.percent ?? 0} label={`update to ${task.version}`} />}
      {task.status === "failure" && (
        <span class="under warn">
          {task.code === undefined ? "" : `${task.code}: `}
          {task.message ?? ""}
        </span>
      )}
    </span>
  );
}

export function Trial(): JSX.Element {
  return <Chip kind="upgrading">on trial</Chip>;
}
