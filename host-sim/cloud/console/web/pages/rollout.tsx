import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Views } from "../api";
import { RolloutChart } from "../chart";
import { duration, exact, plural } from "../format";
import { tell, useAction, useLive } from "../live";
import { goTo, linkTo } from "../location";
import { Ago, Chip, Empty, Head, Pages, ProblemNote, Progress, Shares, StatusChip, Sure, type Status } from "../parts";

const STATUSES: readonly Status[] = ["pending", "pushed", "upgrading", "success", "failure", "cancelled"];
const LIMIT = 50;

export function RolloutPage({ id }: { id: string }): JSX.Element {
  const { data, problem } = useLive<Views["rolloutDetail"]>(`/rollouts/${id}`, ["rollouts"], id);
  const action = useAction();
  if (data === undefined) {
    return problem === undefined ? (
      <p class="faint">…</p>
    ) : problem.status === 404 ? (
      <NoSuchRollout />
    ) : (
      <ProblemNote problem={problem} />
    );
  }
  const { rollout, durations, failures, timeline } = data;
  const act = (step: "cancel" | "resume" | "retry"): void =>
    void action.run(async () => {
      await ask("POST", `/rollouts/${id}/${step}`);
      tell("rollouts", [id]);
    });
  const remove = (): void =>
    void action.run(async () => {
      await ask("DELETE", `/rollouts/${id}`);
      tell("rollouts", true);
      goTo("rollouts");
    });
  const over = rollout.state === "finished" || rollout.state === "cancelled";
  return (
    <>
      <Head
        title={
          <>
            {rollout.name} <Chip kind={rollout.state}>{rollout.state}</Chip>
          </>
        }
        above={<a href={linkTo("rollouts")}>Rollouts</a>}
      >
        {rollout.counts.failure > 0 && rollout.state !== "cancelled" && (
          <button type="button" disabled={action.busy} onClick={() => act("retry")}>
            Retry {plural(rollout.counts.failure, "failure")}
          </button>
        )}
        {over ? (
          <Sure label="Forget" question="Really forget?" disabled={action.busy} act={remove} />
        ) : (
          <Sure label="Cancel" question="Cancel the rest?" disabled={action.busy} act={() => act("cancel")} />
        )}
      </Head>
      <ProblemNote problem={problem ?? action.problem} />
      {rollout.state === "halted" && (
        <div class="note problem halted" role="alert">
          <p>
            <strong>Halted:</strong> {rollout.reason}. No further device is asked; those that had begun go on.
          </p>
          <button type="button" disabled={action.busy} onClick={() => act("resume")}>
            Go on anyway
          </button>
        </div>
      )}
      <p class="lead">
        Version <strong>{rollout.version}</strong> for {rollout.target}: {plural(rollout.devices, "device")}.{" "}
        {rollout.failureLimit !== undefined && `Halts above ${rollout.failureLimit} % failures. `}
        <Times rollout={rollout} />
      </p>
      <section class="tiles counts" aria-label="devices by state">
        {STATUSES.map((status) => (
          <div key={status} class={`tile ${status}`}>
            <span class="number">{rollout.counts[status]}</span>
            <span class="words">{status}</span>
          </div>
        ))}
      </section>
      <Shares counts={rollout.counts} />
      <div class="two">
        <section>
          <h2>Over time</h2>
          {timeline.length < 2 ? (
            <Empty title={over ? "It was cancelled before it began" : "Nothing has happened yet"} />
          ) : (
            <RolloutChart points={timeline} />
          )}
          {durations !== undefined && (
            <p class="faint">
              From push to success: half within {duration(durations.p50)}, 90 % within {duration(durations.p90)}, the
              slowest {duration(durations.longest)}.
            </p>
          )}
        </section>
        <section>
          <h2>Waves</h2>
          <ol class="waves">
            {rollout.waves.map((wave, index) => (
              <li key={index} class={wave.releasedAt === undefined ? "waiting" : ""}>
                <span class="row">
                  <strong>Wave {index + 1}</strong>
                  <span class="faint">
                    {plural(wave.size, "device")}, up to {wave.upTo} %
                  </span>
                </span>
                {wave.size > 0 && <Shares counts={wave.counts} />}
                <span class="faint">
                  {wave.releasedAt === undefined ? (
                    waits(rollout.state, index)
                  ) : (
                    <>
                      released <Ago at={wave.releasedAt} />, {wave.counts.success} done
                      {wave.counts.failure > 0 && `, ${wave.counts.failure} failed`}
                    </>
                  )}
                </span>
              </li>
            ))}
          </ol>
        </section>
      </div>
      {failures.length > 0 && (
        <section>
          <h2>Failures</h2>
          <ul class="reasons">
            {failures.map(({ reason, count }) => (
              <li key={reason}>
                <span class="number">{count}</span> {reason}
              </li>
            ))}
          </ul>
        </section>
      )}
      <MembersTable id={id} />
    </>
  );
}

function NoSuchRollout(): JSX.Element {
  return (
    <>
      <Head title="No such rollout" above={<a href={linkTo("rollouts")}>Rollouts</a>} />
      <Empty title="It was forgotten, or the address is wrong">
        <a class="button" href={linkTo("rollouts")}>
          All rollouts
        </a>
      </Empty>
    </>
  );
}

/** When it began and how long it took. */
function Times({
  rollout: { state, startAt, startedAt, finishedAt },
}: {
  rollout: Views["rollout"];
}): JSX.Element | null {
  if (state === "scheduled") return <>Starts {exact(startAt)}.</>;
  if (startedAt === undefined) return null;
  return (
    <>
      Started <Ago at={startedAt} />
      {finishedAt !== undefined && `, over after ${duration(finishedAt - startedAt)}`}.
    </>
  );
}

/** Why a wave is not out yet. */
function waits(state: Views["rollout"]["state"], wave: number): string {
  if (state === "scheduled") return wave === 0 ? "goes out at the start" : "waits for the one before";
  return state === "running" ? "waits for the one before" : "not released";
}

function MembersTable({ id }: { id: string }): JSX.Element {
  const [status, setStatus] = useState("");
  const [offset, setOffset] = useState(0);
  const query = new URLSearchParams({
    limit: String(LIMIT),
    offset: String(offset),
    ...(status === "" ? {} : { status }),
  });
  const { data, problem } = useLive<Views["memberList"]>(
    `/rollouts/${id}/devices?${query.toString()}`,
    ["rollouts"],
    id,
  );
  const [last, setLast] = useState<Views["memberList"] | undefined>();
  if (data !== undefined && data !== last) setLast(data);
  const shown = data ?? last;
  return (
    <section>
      <h2>Devices</h2>
      <div class="filters">
        <label>
          <span class="hidden">State</span>
          <select
            value={status}
            onChange={(event) => {
              setStatus(event.currentTarget.value);
              setOffset(0);
            }}
          >
            <option value="">Every state</option>
            {STATUSES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        {shown !== undefined && <span class="faint">{plural(shown.total, "device")}</span>}
      </div>
      <ProblemNote problem={problem} />
      {shown?.items.length === 0 && <Empty title="None in that state" />}
      {shown !== undefined && shown.items.length > 0 && (
        <table class="list">
          <caption class="hidden">devices of this rollout</caption>
          <thead>
            <tr>
              <th scope="col">Device</th>
              <th scope="col">Wave</th>
              <th scope="col">State</th>
              <th scope="col">Result</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody>
            {shown.items.map((member) => (
              <tr key={member.device}>
                <th scope="row" data-label="Device">
                  <a href={linkTo("devices", member.device)}>{member.name}</a>
                </th>
                <td data-label="Wave">{member.wave + 1}</td>
                <td data-label="State">
                  <StatusChip status={member.status} />{" "}
                  {member.status === "upgrading" && <span class="keep">{member.percent ?? 0} %</span>}
                  {member.status === "upgrading" && <Progress percent={member.percent ?? 0} label={`${member.name}`} />}
                  {member.attempts > 1 && <span class="under">{member.attempts} attempts</span>}
                </td>
                <td data-label="Result" class={member.status === "failure" ? "" : "nil"}>
                  {member.status === "failure" ? (
                    `${member.code === undefined ? "" : `${member.code}: `}${member.message ?? ""}`
                  ) : (
                    <span class="faint">—</span>
                  )}
                </td>
                <td data-label="Took" class={member.finishedAt === undefined ? "nil" : "keep"}>
                  {member.pushedAt === undefined || member.finishedAt === undefined ? (
                    <span class="faint">—</span>
                  ) : (
                    duration(member.finishedAt - member.pushedAt)
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pages total={shown?.total ?? 0} offset={offset} limit={LIMIT} go={setOffset} />
    </section>
  );
}
