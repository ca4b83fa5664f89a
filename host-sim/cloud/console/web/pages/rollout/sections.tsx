/** The sections of a rollout's page. */
import type { JSX } from "preact";
import type { Views } from "../../api";
import { duration, plural } from "../../format";
import { linkTo } from "../../location";
import { Ago, Chip, Empty, Head, Shares, STATUSES, Sure } from "../../parts";
import { RolloutChart } from "./chart";

type Rollout = Views["rollout"];

export function isOver({ state }: Rollout): boolean {
  return state === "finished" || state === "cancelled";
}

export function RolloutHead({
  rollout,
  busy,
  act,
  remove,
}: {
  rollout: Rollout;
  busy: boolean;
  act: (step: "cancel" | "retry") => void;
  remove: () => void;
}): JSX.Element {
  return (
    <Head
      title={
        <>
          {rollout.name} <Chip kind={rollout.state}>{rollout.state}</Chip>
        </>
      }
      above={<a href={linkTo("rollouts")}>Rollouts</a>}
    >
      {rollout.counts.failure > 0 && rollout.state !== "cancelled" && (
        <button type="button" disabled={busy} onClick={() => act("retry")}>
          Retry {plural(rollout.counts.failure, "failure")}
        </button>
      )}
      {isOver(rollout) ? (
        <Sure label="Forget" question="Really forget?" disabled={busy} act={remove} />
      ) : (
        <Sure label="Cancel" question="Cancel the rest?" disabled={busy} act={() => act("cancel")} />
      )}
    </Head>
  );
}

export function Halted({
  reason,
  busy,
  resume,
}: {
  reason: string | undefined;
  busy: boolean;
  resume: () => void;
}): JSX.Element {
  return (
    <div class="note problem halted" role="alert">
      <p>
        <strong>Halted:</strong> {reason}. No further device is asked; those that had begun go on.
      </p>
      <button type="button" disabled={busy} onClick={resume}>
        Go on anyway
      </button>
    </div>
  );
}

export function Counts({ counts }: { counts: Views["counts"] }): JSX.Element {
  return (
    <>
      <section class="tiles counts" aria-label="devices by state">
        {STATUSES.map((status) => (
          <div key={status} class={`tile ${status}`}>
            <span class="number">{counts[status]}</span>
            <span class="words">{status}</span>
          </div>
        ))}
      </section>
      <Shares counts={counts} />
    </>
  );
}

export function OverTime({
  isOver,
  timeline,
  durations,
}: {
  isOver: boolean;
  timeline: Views["rolloutDetail"]["timeline"];
  durations: Views["rolloutDetail"]["durations"] | undefined;
}): JSX.Element {
  return (
    <section>
      <h2>Over time</h2>
      {timeline.length < 2 ? (
        <Empty title={isOver ? "It was cancelled before it began" : "Nothing has happened yet"} />
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
  );
}

export function Waves({ rollout }: { rollout: Rollout }): JSX.Element {
  return (
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
  );
}

/** Why a wave is not out yet. */
function waits(state: Views["rollout"]["state"], wave: number): string {
  if (state === "scheduled") return wave === 0 ? "goes out at the start" : "waits for the one before";
  return state === "running" ? "waits for the one before" : "not released";
}

export function Failures({ failures }: Pick<Views["rolloutDetail"], "failures">): JSX.Element {
  return (
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
  );
}
