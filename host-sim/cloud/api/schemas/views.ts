/** Types of what the API answers, by name. */
import type { Static } from "typebox";
import type { BoardList, BoardView, FlashView } from "./boards";
import type { Journal, Overview } from "./cloud";
import type { DeviceDetail, DeviceList, DeviceView, MessageView, TaskView } from "./devices";
import type { RecordingView } from "./recordings";
import type { PackageView } from "./packages";
import type {
  CountsView,
  CreatedRollout,
  CreateRollout,
  MemberList,
  MemberView,
  RolloutDetail,
  RolloutView,
} from "./rollouts";

export type Views = {
  package: Static<typeof PackageView>;
  device: Static<typeof DeviceView>;
  deviceList: Static<typeof DeviceList>;
  deviceDetail: Static<typeof DeviceDetail>;
  task: Static<typeof TaskView>;
  cost: Static<typeof DeviceDetail>["tasks"][number];
  message: Static<typeof MessageView>;
  recording: Static<typeof RecordingView>;
  rollout: Static<typeof RolloutView>;
  rolloutDetail: Static<typeof RolloutDetail>;
  createRollout: Static<typeof CreateRollout>;
  createdRollout: Static<typeof CreatedRollout>;
  member: Static<typeof MemberView>;
  memberList: Static<typeof MemberList>;
  counts: Static<typeof CountsView>;
  board: Static<typeof BoardView>;
  boardList: Static<typeof BoardList>;
  flash: Static<typeof FlashView>;
  overview: Static<typeof Overview>;
  journal: Static<typeof Journal>;
};
