import type { JSX } from "preact";
import { ask, type Views } from "../api";
import { bytes, plural } from "../format";
import { tell, useAction, useLive } from "../live";
import { goTo, linkTo } from "../location";
import { Chip, Copy, Head, ProblemNote, Shares } from "../parts";

/** Rollouts that are over, as long as none is under way. */
const LATEST = 3;

/** Where one begins, and what goes on. */
export function OverviewPage(): JSX.Element {
  const { data, problem } = useLive<Views["overview"]>("/overview", [
    "packages",
    "devices",
    "rollouts",
    "boards",
    "broker",
  ]);
  const rollouts = useLive<{ items: Views["rollout"][] }>("/rollouts", ["rollouts"]);
  if (data === undefined) return <ProblemNote problem={problem} />;
  const all = rollouts.data?.items ?? [];
  const active = all.filter(({ state }) => state === "running" || state === "halted" || state === "scheduled");
  const shown = active.length > 0 ? active : all.slice(0, LATEST);
  return (
    <>
      <Head title="Overview" />
      <ProblemNote problem={problem} />
      {!data.brokerConnected && (
        <p class="note problem">The broker can not be reached; devices are heard again when it can.</p>
      )}
      {data.rollouts.total === 0 && <FirstSteps data={data} />}
      <Tiles data={data} />
      {shown.length > 0 && (
        <section>
          <h2>{active.length > 0 ? "Under way" : "Latest rollouts"}</h2>
          <ul class="cards">
            {shown.map((rollout) => (
              <RolloutCard key={rollout.id} rollout={rollout} />
            ))}
          </ul>
        </section>
      )}
      <Addresses data={data} />
    </>
  );
}

function Tiles({ data }: { data: Views["overview"] }): JSX.Element {
  return (
    <section class="tiles" aria-label="in numbers">
      <Tile href={linkTo("devices")} number={`${data.devices.online} / ${data.devices.total}`} words="devices online" />
      <Tile
        href={linkTo("packages")}
        number={String(data.packages)}
        words={data.packages === 1 ? "package" : "packages"}
      />
      <Tile
        href={linkTo("rollouts")}
        number={String(data.rollouts.active)}
        words={data.rollouts.active === 1 ? "rollout under way" : "rollouts under way"}
      />
      <Tile number={bytes(data.served.bytes)} words={`served in ${plural(data.served.requests, "request")}`} />
    </section>
  );
}

function RolloutCard({ rollout }: { rollout: Views["rollout"] }): JSX.Element {
  return (
    <li>
      <a class="card" href={linkTo("rollouts", rollout.id)}>
        <span class="row">
          <strong>{rollout.name}</strong>
          <Chip kind={rollout.state}>{rollout.state}</Chip>
        </span>
        <Shares counts={rollout.counts} />
        <span class="faint">
          {rollout.counts.success} of {plural(rollout.devices, "device")} done
          {rollout.counts.failure > 0 ? `, ${rollout.counts.failure} failed` : ""}
          {rollout.counts.cancelled > 0 ? `, ${rollout.counts.cancelled} cancelled` : ""}
        </span>
      </a>
    </li>
  );
}

function Addresses({ data }: { data: Views["overview"] }): JSX.Element {
  return (
    <section>
      <h2>Addresses</h2>
      <p class="faint">What devices are told; each one's device.json holds them.</p>
      <dl class="facts">
        {Object.entries(data.addresses).map(([kind, address]) => (
          <div key={kind}>
            <dt>{kind === "http" || kind === "https" ? `downloads (${kind})` : `broker (${kind})`}</dt>
            <dd>
              <Copy text={address} />
            </dd>
          </div>
        ))}
        <div>
          <dt>API</dt>
          <dd>
            <a href="/cloud/v1/openapi.json" download="xs-ota-openapi.json">
              OpenAPI description
            </a>
          </dd>
        </div>
        <div>
          <dt>broker</dt>
          <dd>{data.broker === "embedded" ? "built in" : "elsewhere"}</dd>
        </div>
        <div>
          <dt>state</dt>
          <dd>{data.kept ? "kept on disk" : "in memory: gone when the cloud ends"}</dd>
        </div>
      </dl>
    </section>
  );
}

function Tile({ number, words, href }: { number: string; words: string; href?: string }): JSX.Element {
  const inside = (
    <>
      <span class="number">{number}</span>
      <span class="words">{words}</span>
    </>
  );
  return href === undefined ? (
    <div class="tile">{inside}</div>
  ) : (
    <a class="tile" href={href}>
      {inside}
    </a>
  );
}

function FirstSteps({ data }: { data: Views["overview"] }): JSX.Element {
  const action = useAction();
  const board = (): Promise<boolean> =>
    action.run(async () => {
      const { device } = await ask<Views["board"]>("POST", "/boards", {});
      tell("devices", true);
      goTo("devices", device);
    });
  return (
    <section class="steps" aria-label="first steps">
      <h2>Try an update in three steps</h2>
      <ol>
        <Step done={data.packages > 0} title="Add firmware">
          Upload an image, or let a sample be made that simulated boards can boot.
          <a class="button" href={linkTo("packages")}>
            Go to packages
          </a>
        </Step>
        <Step done={data.devices.total > 0} title="Add a device">
          A simulated board runs the real agent on a JavaScript engine of its own. A real one gets its device.json here.
          <span class="row">
            <button type="button" disabled={action.busy} onClick={() => void board()}>
              {action.busy ? "Starting a board …" : "Add a simulated board"}
            </button>
            <a class="button quiet" href={linkTo("devices")}>
              Go to devices
            </a>
          </span>
        </Step>
        <Step done={data.rollouts.total > 0} title="Roll it out">
          To all devices, those on one version, or a list; at once or in waves.
          <a class="button" href={linkTo("rollouts", "new")}>
            New rollout
          </a>
        </Step>
      </ol>
      <ProblemNote problem={action.problem} />
    </section>
  );
}

function Step({
  done,
  title,
  children,
}: {
  done: boolean;
  title: string;
  children: preact.ComponentChildren;
}): JSX.Element {
  return (
    <li class={done ? "done" : ""}>
      <h3>
        {title}
        {done && <span class="faint"> · done</span>}
      </h3>
      <div>{children}</div>
    </li>
  );
}
