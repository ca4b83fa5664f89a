import type { JSX } from "preact";
import type { Views } from "../api";
import { plural } from "../format";
import { useLive } from "../live";
import { linkTo } from "../location";
import { Ago, Chip, Empty, Head, ProblemNote, Shares } from "../parts";

export function RolloutsPage(): JSX.Element {
  const { data, problem } = useLive<{ items: Views["rollout"][] }>("/rollouts", ["rollouts"]);
  return (
    <>
      <Head title="Rollouts">
        <a class="button primary" href={linkTo("rollouts", "new")}>
          New rollout
        </a>
      </Head>
      <ProblemNote problem={problem} />
      {data?.items.length === 0 && (
        <Empty title="No rollout yet">
          <p>
            A rollout takes one package to one device or thousands, at once or wave by wave, and stops by itself when
            too many fail.
          </p>
          <a class="button" href={linkTo("rollouts", "new")}>
            New rollout
          </a>
        </Empty>
      )}
      {data !== undefined && data.items.length > 0 && (
        <table class="list">
          <caption class="hidden">rollouts, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Rollout</th>
              <th scope="col">State</th>
              <th scope="col">Devices</th>
              <th scope="col">Created</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((rollout) => (
              <Row key={rollout.id} rollout={rollout} />
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Row({ rollout }: { rollout: Views["rollout"] }): JSX.Element {
  return (
    <tr>
      <th scope="row" data-label="Rollout">
        <a href={linkTo("rollouts", rollout.id)}>{rollout.name}</a>
        <span class="under">
          version {rollout.version} for {rollout.target}
          {rollout.waves.length > 1 && `, ${plural(rollout.waves.length, "wave")}`}
        </span>
      </th>
      <td data-label="State">
        <Chip kind={rollout.state}>{rollout.state}</Chip>
      </td>
      <td data-label="Devices" class="wide">
        <Shares counts={rollout.counts} />
        <span class="under">
          {rollout.counts.success} of {rollout.devices} done
          {rollout.counts.failure > 0 && `, ${rollout.counts.failure} failed`}
          {rollout.counts.cancelled > 0 && `, ${rollout.counts.cancelled} cancelled`}
        </span>
      </td>
      <td data-label="Created">
        <Ago at={rollout.createdAt} />
      </td>
    </tr>
  );
}
