import type { JSX } from "preact";
import { ask, type Views } from "../../api";
import { duration, exact, plural } from "../../format";
import { tell, useAction, useLive } from "../../live";
import { goTo, linkTo } from "../../location";
import { Ago, Empty, Head, ProblemNote } from "../../parts";
import { MembersTable } from "./members";
import { Counts, Failures, Halted, isOver, OverTime, RolloutHead, Waves } from "./sections";

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
  return (
    <>
      <RolloutHead rollout={rollout} busy={action.busy} act={act} remove={remove} />
      <ProblemNote problem={problem ?? action.problem} />
      {rollout.state === "halted" && <Halted reason={rollout.reason} busy={action.busy} resume={() => act("resume")} />}
      <p class="lead">
        Version <strong>{rollout.version}</strong> for {rollout.target}: {plural(rollout.devices, "device")}.{" "}
        {rollout.failureLimit !== undefined && `Halts above ${rollout.failureLimit} % failures. `}
        <Times rollout={rollout} />
      </p>
      <Counts counts={rollout.counts} />
      <div class="two">
        <OverTime isOver={isOver(rollout)} timeline={timeline} durations={durations} />
        <Waves rollout={rollout} />
      </div>
      {failures.length > 0 && <Failures failures={failures} />}
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
