import type { JSX } from "preact";
import type { Views } from "../../api";
import { platformName } from "../../format";
import { linkTo } from "../../location";
import { Ago, Online, Progress, StatusChip } from "../../parts";

/** One page of devices, each of which can be selected. */
export function DevicesTable({
  devices,
  selected,
  select,
}: {
  devices: readonly Views["device"][];
  selected: ReadonlySet<string>;
  select: (selected: ReadonlySet<string>) => void;
}): JSX.Element {
  const mark = (ids: readonly string[], on: boolean): void => {
    const next = new Set(selected);
    for (const id of ids)
      if (on) next.add(id);
      else next.delete(id);
    select(next);
  };
  return (
    <table class="list">
      <caption class="hidden">devices</caption>
      <thead>
        <tr>
          <th scope="col" class="narrow">
            <input
              type="checkbox"
              aria-label="select all on this page"
              checked={devices.every(({ id }) => selected.has(id))}
              onChange={(event) =>
                mark(
                  devices.map(({ id }) => id),
                  event.currentTarget.checked,
                )
              }
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
        {devices.map((device) => (
          <Row
            key={device.id}
            device={device}
            selected={selected.has(device.id)}
            select={(on) => mark([device.id], on)}
          />
        ))}
      </tbody>
    </table>
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
  const { id, name, platform, online, sleep, version, slot, lastSeen, task, board } = device;
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
        <a href={linkTo("devices", id)}>{name}</a> <Online online={online} sleep={sleep} />
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

function TaskCell({ task }: { task: Views["task"] }): JSX.Element {
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
