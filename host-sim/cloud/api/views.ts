/** The cloud's snapshots as the API shows them: nothing secret, nothing that only the cloud can make sense of. */
import type { SimulatedBoard } from "../boards/boards";
import type { Cloud } from "../core/cloud";
import type { Device, LoggedMessage } from "../core/devices/devices";
import type { Package } from "../core/files/packages";
import type { Member, Rollout, Selection } from "../core/rollouts/rollout";
import type { Task } from "../core/devices/tasks";
import type { UpdateBytes } from "../deltas/update-bytes";
import type { Views } from "./schemas/views";

export function packageView(cloud: Cloud, file: Package): Views["package"] {
  const { id, name, version, imageVersion, project, chip, problem, container, signature } = file;
  const { size, md5, sha256, addedAt } = file;
  return {
    id,
    name,
    version,
    ...(imageVersion === undefined ? {} : { imageVersion }),
    ...(project === undefined ? {} : { project }),
    ...(chip === undefined ? {} : { chip }),
    ...(problem === undefined ? {} : { problem }),
    ...(container === undefined ? {} : { container: containerView(cloud, container) }),
    signature: signature === undefined ? "none" : signature.form === "good" ? "signed" : "broken",
    ...(signature?.form === "good" && signature.key !== "" ? { signer: signature.key } : {}),
    size,
    md5,
    sha256,
    addedAt,
    served: cloud.traffic.ofPackage(id),
  };
}

function containerView(
  cloud: Cloud,
  { image, sha256, parts }: NonNullable<Package["container"]>,
): NonNullable<Views["package"]["container"]> {
  const made = cloud.packages.list().find((file) => file.sha256 === sha256);
  return { image, ...(made === undefined ? {} : { package: made.id }), parts: parts.map((part) => ({ ...part })) };
}

/** The task that is under way, or else the last one. */
export function latestTask(cloud: Cloud, device: string): Task | undefined {
  return cloud.tasks.active(device) ?? cloud.tasks.ofDevice(device).at(-1);
}

export function taskView(task: Task): Views["task"] {
  const { state: _, fields: __, ...view } = task;
  return view;
}

/** With what it cost, and would have cost as a plain image. */
export function costView(cloud: Cloud, updateBytes: UpdateBytes, task: Task): Views["cost"] {
  const file = cloud.packages.get(task.package);
  const sent = updateBytes.of(task.id);
  return {
    ...taskView(task),
    ...(sent === undefined ? {} : { sent }),
    ...(file === undefined ? {} : { image: file.container?.image ?? file.size }),
  };
}

export function deviceView(cloud: Cloud, device: Device, board: SimulatedBoard | undefined): Views["device"] {
  const task = latestTask(cloud, device.id);
  return {
    ...device,
    ...(board === undefined ? {} : { board: board.name }),
    ...(board?.slot === undefined ? {} : { slot: board.slot }),
    ...(task === undefined ? {} : { task: taskView(task) }),
  };
}

export function messageView(message: LoggedMessage, redact: (text: string) => string): Views["message"] {
  const { at, direction, topic, payload, qos, dup } = message;
  return { at, direction, topic: redact(topic), payload: redact(payload), qos, dup };
}

export function rolloutView(cloud: Cloud, rollout: Rollout): Views["rollout"] {
  const { selection, forgiven: _, readySince: _since, waves, ...rest } = rollout;
  const members = cloud.rollouts.members(rollout.id)!;
  return {
    ...rest,
    target: describeSelection(selection),
    waves: waves.map((wave, index) => ({ ...wave, counts: members.countsOf(index) })),
    devices: members.size,
    counts: members.counts(),
  };
}

export function memberView(cloud: Cloud, member: Member): Views["member"] {
  const { task: _, since: _since, ...view } = member;
  return { ...view, name: cloud.devices.get(member.device)?.name ?? member.device };
}

function describeSelection(selection: Selection): string {
  switch (selection.kind) {
    case "all":
      return "all devices";
    case "version":
      return `devices on ${selection.version}`;
    case "devices":
      return selection.devices.length === 1 ? "one device" : `${selection.devices.length} selected devices`;
    case "names":
      return `a list of ${selection.names.length} names`;
  }
}
