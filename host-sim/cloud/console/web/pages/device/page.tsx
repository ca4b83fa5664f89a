import type { JSX } from "preact";
import { ask, part, type Views } from "../../api";
import { bytes, platformName } from "../../format";
import { tell, useAction, useLive } from "../../live";
import { goTo, linkTo } from "../../location";
import { Ago, Empty, Head, Online, ProblemNote, Progress, StatusChip, Sure, wakeBy } from "../../parts";
import { BoardPanel } from "./board";
import { Messages } from "./messages";
import { Recordings } from "./recordings";
import { Tasks } from "./tasks";

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
            {device.name} <Online online={device.online} sleep={device.sleep} />
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
      <Facts device={device} downloaded={served.bytes} />
      {active !== undefined && <Active task={active} device={device} />}
      {device.board !== undefined && <BoardPanel name={device.board} />}
      <Tasks tasks={tasks} />
      <Recordings id={id} />
      <Messages id={id} />
    </>
  );
}

function Facts({ device, downloaded }: { device: Views["device"]; downloaded: number }): JSX.Element {
  return (
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
        <dd class="large">{bytes(downloaded)}</dd>
      </div>
      <div>
        <dt>platform</dt>
        <dd class="large">{platformName(device.platform)}</dd>
      </div>
    </dl>
  );
}

/** The update under way. */
function Active({ task, device }: { task: Views["task"]; device: Views["device"] }): JSX.Element {
  return (
    <section class="now" aria-label="update under way">
      <span class="row">
        <strong>Update to {task.version}</strong>
        <StatusChip status={task.status} />
      </span>
      <Progress percent={task.percent ?? 0} label={`update to ${task.version}`} />
      <span class="faint">{explain(task, device)}</span>
    </section>
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

/** The operator of a real cloud reads more of it in docs/PLATFORMS.md. */
const ASLEEP =
  "The device is asleep and goes on when it wakes; timeouts of rollouts wait for it here. Tencent's own task time-out (120 to 900 s) does not.";

function explain({ status, percent, pushes }: Views["task"], { online, sleep }: Views["device"]): string {
  const asleep = Date.now() < wakeBy(sleep);
  switch (status) {
    case "pending":
      return online && !asleep ? "About to be pushed." : "Waits until the device is online.";
    case "pushed":
      return pushes > 1
        ? `The offer went out ${pushes} times; no word from the device yet.`
        : "The offer is out; no word from the device yet.";
    default:
      if (percent === 100) return "Downloaded; the new firmware has to prove itself.";
      return `${percent ?? 0} % downloaded.${asleep ? ` ${ASLEEP}` : ""}`;
  }
}
