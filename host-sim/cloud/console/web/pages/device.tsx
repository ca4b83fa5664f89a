import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, part, type Views } from "../api";
import { bytes, clock, duration, exact, platformName } from "../format";
import { tell, useAction, useLive } from "../live";
import { goTo, linkTo } from "../location";
import { Ago, Empty, Head, Online, ProblemNote, Progress, StatusChip, Sure } from "../parts";
import { BoardPanel } from "./board";
import { Trial } from "./devices";

export function DevicePage({ id }: { id: string }): JSX.Element {
  const { data, problem } = useLive<Views["deviceDetail"]>(
    `/devices/${part(id)}`,
    ["devices", "boards", "messages"],
    id,
  );
  const action = useAction();
  if (data === undefined) {
    return problem === undefined ? (
      <p class="faint">…</p>
    ) : problem.status === 404 ? (
      <NoSuchDevice />
    ) : (
      <ProblemNote problem={problem} />
    );
  }
  const { device, tasks, served } = data;
  const remove = (): void =>
    void action.run(async () => {
      await ask("DELETE", `/devices/${part(id)}`);
      tell("devices", true);
      goTo("devices");
    });
  const [current] = tasks;
  const active = current?.finishedAt === undefined ? current : undefined;
  return (
    <>
      <Head
        title={
          <>
            {device.name} <Online online={device.online} />
          </>
        }
        above={<a href={linkTo("devices")}>Devices</a>}
      >
        <a class="button" href={`/cloud/v1/devices/${part(id)}/config`} download={`${device.name}.json`}>
          device.json
        </a>
        <Sure
          label="Remove"
          question={device.board === undefined ? "Really remove?" : "Remove with its flash?"}
          disabled={action.busy}
          act={remove}
        />
      </Head>
      <ProblemNote problem={problem ?? action.problem} />
      <dl class="facts">
        <div>
          <dt>version</dt>
          <dd class="large">{device.version ?? <span class="faint">not reported</span>}</dd>
        </div>
        {device.slot !== undefined && (
          <div>
            <dt>slot</dt>
            <dd class="large mono">{device.slot}</dd>
          </div>
        )}
        <div>
          <dt>last seen</dt>
          <dd class="large">
            <Ago at={device.lastSeen} />
          </dd>
        </div>
        <div>
          <dt>downloaded</dt>
          <dd class="large">{bytes(served.bytes)}</dd>
        </div>
        <div>
          <dt>platform</dt>
          <dd class="large">{platformName(device.platform)}</dd>
        </div>
      </dl>
      {active !== undefined && (
        <section class="now" aria-label="update under way">
          <span class="row">
            <strong>Update to {active.version}</strong>
            <StatusChip status={active.status} />
          </span>
          <Progress percent={active.percent ?? 0} label={`update to ${active.version}`} />
          <span class="faint">{words(active, device.online)}</span>
        </section>
      )}
      {device.board !== undefined && <BoardPanel name={device.board} trial={<Trial />} />}
      <Tasks tasks={tasks} />
      <Messages id={id} />
    </>
  );
}

function NoSuchDevice(): JSX.Element {
  return (
    <>
      <Head title="No such device" above={<a href={linkTo("devices")}>Devices</a>} />
      <Empty title="It was removed, or the address is wrong">
        <a class="button" href={linkTo("devices")}>
          All devices
        </a>
      </Empty>
    </>
  );
}

function words({ status, percent, pushes }: Views["task"], online: boolean): string {
  switch (status) {
    case "pending":
      return online ? "About to be pushed." : "Waits until the device is online.";
    case "pushed":
      return pushes > 1
        ? `The offer went out ${pushes} times; no word from the device yet.`
        : "The offer is out; no word from the device yet.";
    default:
      return percent === 100 ? "Downloaded; the new firmware has to prove itself." : `${percent ?? 0} % downloaded.`;
  }
}

function Tasks({ tasks }: { tasks: readonly Views["task"][] }): JSX.Element {
  return (
    <section>
      <h2>Updates</h2>
      {tasks.length === 0 ? (
        <Empty title="None so far">
          <p>Every version that this device is asked to take is listed here with what became of it.</p>
          <a class="button" href={linkTo("rollouts", "new")}>
            New rollout
          </a>
        </Empty>
      ) : (
        <table class="list">
          <caption class="hidden">updates of this device, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">State</th>
              <th scope="col">Result</th>
              <th scope="col">Pushed</th>
              <th scope="col">Took</th>
              <th scope="col">Rollout</th>
            </tr>
          </thead>
          <tbody>
            {tasks.map(({ id, version, status, percent, code, message, createdAt, pushedAt, finishedAt, rollout }) => (
              <tr key={id}>
                <th scope="row" data-label="Version">
                  {version}
                </th>
                <td data-label="State">
                  <StatusChip status={status} /> {status === "upgrading" && <span class="keep">{percent ?? 0} %</span>}
                </td>
                <td data-label="Result" class={status === "failure" ? "" : "nil"}>
                  {status === "failure" ? (
                    `${code === undefined ? "" : `${code}: `}${message ?? ""}`
                  ) : (
                    <span class="faint">—</span>
                  )}
                </td>
                <td data-label="Pushed">
                  {pushedAt === undefined ? <span class="faint">not yet</span> : <Ago at={pushedAt} />}
                </td>
                <td data-label="Took" class={finishedAt === undefined ? "nil" : "keep"}>
                  {finishedAt === undefined ? <span class="faint">—</span> : duration(finishedAt - createdAt)}
                </td>
                <td data-label="Rollout">
                  {rollout === undefined ? (
                    <span class="faint">—</span>
                  ) : (
                    <a href={linkTo("rollouts", rollout)}>#{rollout}</a>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const SHOWN = 100;

function Messages({ id }: { id: string }): JSX.Element {
  const { data, problem } = useLive<{ items: Views["message"][] }>(`/devices/${part(id)}/messages`, ["messages"], id);
  const [all, setAll] = useState(false);
  const items = data?.items ?? [];
  const shown = (all ? items : items.slice(-SHOWN)).toReversed();
  return (
    <section>
      <h2>Messages</h2>
      <ProblemNote problem={problem} />
      {items.length === 0 ? (
        <Empty title="Not a word yet">
          <p>What goes over the broker in either direction appears here as it happens.</p>
        </Empty>
      ) : (
        <ol class="messages" aria-label="messages, newest first" tabIndex={0}>
          {shown.map((message, index) => (
            <li key={`${message.at} ${items.length - index}`} class={message.direction}>
              <span class="when mono" title={exact(message.at)}>
                {clock(message.at)}
              </span>
              <span class="way" aria-label={message.direction === "up" ? "from the device" : "to the device"}>
                {message.direction === "up" ? "▲" : "▼"}
              </span>
              <code>{message.payload}</code>
              <span class="faint mono topic">
                {message.topic} · QoS {message.qos}
                {message.dup ? " · repeated" : ""}
              </span>
            </li>
          ))}
        </ol>
      )}
      {!all && items.length > SHOWN && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          Show all {items.length}
        </button>
      )}
    </section>
  );
}
