import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Views } from "../../api";
import { duration, plural } from "../../format";
import { useLive } from "../../live";
import { linkTo } from "../../location";
import { Empty, Pages, ProblemNote, Progress, STATUSES, StatusChip } from "../../parts";

const LIMIT = 50;

/** The devices of a rollout, by state. */
export function MembersTable({ id }: { id: string }): JSX.Element {
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
      {shown !== undefined && shown.items.length > 0 && <Table members={shown.items} />}
      <Pages total={shown?.total ?? 0} offset={offset} limit={LIMIT} go={setOffset} />
    </section>
  );
}

function Table({ members }: { members: readonly Views["member"][] }): JSX.Element {
  return (
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
        {members.map((member) => (
          <Row key={member.device} member={member} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ member }: { member: Views["member"] }): JSX.Element {
  return (
    <tr>
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
      <td data-label="Took" class={member.took === undefined ? "nil" : "keep"}>
        {member.took === undefined ? <span class="faint">—</span> : duration(member.took)}
      </td>
    </tr>
  );
}
