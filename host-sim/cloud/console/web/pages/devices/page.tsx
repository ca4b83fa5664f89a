import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Views } from "../../api";
import { tell, useAction, useLive } from "../../live";
import { goTo, linkTo } from "../../location";
import { Empty, Head, Pages, ProblemNote } from "../../parts";
import { AddDeviceDialog } from "./add-device";
import { Filters, NO_FILTER, queryOf, type Filter } from "./filters";
import { DevicesTable } from "./table";

const LIMIT = 50;

export function DevicesPage({ query }: { query: URLSearchParams }): JSX.Element {
  const [filter, setFilter] = useState<Filter>({ ...NO_FILTER, version: query.get("version") ?? NO_FILTER.version });
  const [offset, setOffset] = useState(0);
  const [adding, setAdding] = useState(false);
  const action = useAction();
  const { data, problem } = useLive<Views["deviceList"]>(`/devices?${queryOf(filter, LIMIT, offset)}`, [
    "devices",
    "boards",
  ]);
  const [last, setLast] = useState<Views["deviceList"] | undefined>();
  if (data !== undefined && data !== last) setLast(data);
  const shown = data ?? last;
  const isFiltered = filter.search !== "" || filter.version !== "*" || filter.status !== "";
  const none = shown?.total === 0 && !isFiltered;
  const narrow = (change: Partial<Filter>): void => {
    setFilter({ ...filter, ...change });
    setOffset(0);
  };
  const addBoard = (): void =>
    void action.run(async () => {
      await ask<Views["board"]>("POST", "/boards", {});
      tell("devices", true);
    });
  return (
    <>
      <Head title="Devices">
        <AddBoardButton busy={action.busy} add={addBoard} primary />
        <a class="button" href={linkTo("devices", "flash")}>
          Add a real board
        </a>
        <button type="button" onClick={() => setAdding(true)}>
          Add a device
        </button>
      </Head>
      <ProblemNote problem={problem ?? action.problem} />
      {none && (
        <Empty title="No device yet">
          <p>
            A simulated board is running in a second or two. A real one is flashed from here, or gets the device.json of
            a device that you add.
          </p>
          <AddBoardButton busy={action.busy} add={addBoard} />
        </Empty>
      )}
      {shown !== undefined && !none && (
        <Found shown={shown} filter={filter} narrow={narrow} offset={offset} go={setOffset} />
      )}
      {adding && <AddDeviceDialog close={() => setAdding(false)} />}
    </>
  );
}

function AddBoardButton({ busy, add, primary }: { busy: boolean; add: () => void; primary?: boolean }): JSX.Element {
  return (
    <button type="button" class={primary === true ? "primary" : ""} disabled={busy} onClick={add}>
      {busy ? "Starting a board …" : "Add a simulated board"}
    </button>
  );
}

/** Filters, and the devices that fit. The selection outlives both. */
function Found({
  shown,
  filter,
  narrow,
  offset,
  go,
}: {
  shown: Views["deviceList"];
  filter: Filter;
  narrow: (change: Partial<Filter>) => void;
  offset: number;
  go: (offset: number) => void;
}): JSX.Element {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const rollOut = (): void => {
    sessionStorage.setItem("xs-ota-selected", JSON.stringify([...selected]));
    goTo("rollouts", "new", { selected: String(selected.size) });
  };
  return (
    <>
      <Filters filter={filter} set={narrow} shown={shown}>
        {selected.size > 0 && (
          <button type="button" class="primary end" onClick={rollOut}>
            Roll out to {selected.size} selected
          </button>
        )}
      </Filters>
      {shown.items.length === 0 ? (
        <Empty title="No device fits">
          <button type="button" onClick={() => narrow(NO_FILTER)}>
            Show all
          </button>
        </Empty>
      ) : (
        <DevicesTable devices={shown.items} selected={selected} select={setSelected} />
      )}
      <Pages total={shown.total} offset={offset} limit={LIMIT} go={go} />
    </>
  );
}
