import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Views } from "../../api";
import { plural } from "../../format";
import { tell, useAction, useLive } from "../../live";
import { goTo, linkTo } from "../../location";
import { Empty, Head, ProblemNote } from "../../parts";
import { emptyDraft, requestOf, type Draft, type Edit } from "./draft";
import { PackageField, WaveFields, StartFields, TargetFields } from "./fields";

type Created = Views["createdRollout"];

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
  const [draft, setDraft] = useState<Draft>(() => emptyDraft(packages, devices, selected, first));
  const [partial, setPartial] = useState<Created | undefined>();
  const action = useAction();
  const edit: Edit = { draft, set: (change) => setDraft((before) => ({ ...before, ...change })) };
  const create = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      const made = await ask<Created>("POST", "/rollouts", requestOf(draft, selected));
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
        <PackageField {...edit} packages={packages} />
        <TargetFields {...edit} devices={devices} selected={selected} />
        <WaveFields {...edit} />
        <StartFields {...edit} />
        <ProblemNote problem={action.problem} />
        <footer>
          <button type="submit" class="primary" disabled={action.busy}>
            {draft.later ? "Schedule" : "Start the rollout"}
          </button>
          <a class="button quiet" href={linkTo("rollouts")}>
            Back
          </a>
        </footer>
      </form>
    </>
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
