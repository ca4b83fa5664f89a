import type { JSX } from "preact";
import type { Views } from "../../api";
import { bytes, duration } from "../../format";
import { linkTo } from "../../location";
import { Ago, Empty, StatusChip } from "../../parts";

export function Tasks({ tasks }: { tasks: readonly Views["cost"][] }): JSX.Element {
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
              <th scope="col">Bytes</th>
              <th scope="col">Rollout</th>
            </tr>
          </thead>
          <tbody>
            {tasks.map((task) => (
              <TaskRow key={task.id} task={task} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function TaskRow({ task }: { task: Views["cost"] }): JSX.Element {
  const { version, status, percent, code, message, createdAt, pushedAt, finishedAt, rollout, sent, image } = task;
  return (
    <tr>
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
      <td data-label="Pushed">{pushedAt === undefined ? <span class="faint">not yet</span> : <Ago at={pushedAt} />}</td>
      <td data-label="Took" class={finishedAt === undefined ? "nil" : "keep"}>
        {finishedAt === undefined ? <span class="faint">—</span> : duration(finishedAt - createdAt)}
      </td>
      <td data-label="Bytes" class={sent === undefined ? "nil" : "keep"}>
        {sent === undefined ? (
          <span class="faint">—</span>
        ) : (
          <>
            {bytes(sent)}
            {image !== undefined && sent < image && <span class="under">of {bytes(image)}</span>}
          </>
        )}
      </td>
      <td data-label="Rollout">
        {rollout === undefined ? <span class="faint">—</span> : <a href={linkTo("rollouts", rollout)}>#{rollout}</a>}
      </td>
    </tr>
  );
}
