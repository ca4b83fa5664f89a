/** A copy of the records of a server, for a search that goes on from one moment in several ways. Files are shared. */
import type { Action, DistributionSet, Target } from "./model";
import { Repository } from "./repository";
import type { Rollout } from "./rollouts";

export interface Fork {
  readonly repository: Repository;
  readonly rollouts: readonly Rollout[];
}

/** `now`: the clock of the copy. */
export function forkRecords(from: Repository, rollouts: Iterable<Rollout>, now: () => number): Fork {
  const repository = new Repository(now, from.nextAction);
  Object.assign(repository.settings, from.settings);
  for (const [id, module] of from.modules) repository.modules.set(id, module);
  for (const [id, set] of from.sets) repository.sets.set(id, { ...set });
  const setOf = (set: DistributionSet | undefined): DistributionSet | undefined => set && repository.sets.get(set.id);
  const targets = new Map<Target, Target>();
  for (const [id, target] of from.targets) {
    const { attributes, assigned, installed } = target;
    const copy: Target = {
      ...target,
      attributes: new Map(attributes),
      assigned: setOf(assigned),
      installed: setOf(installed),
      actions: [],
    };
    targets.set(target, copy);
    repository.targets.set(id, copy);
  }
  const actions = new Map<Action, Action>();
  for (const [id, action] of from.actions) {
    const target = targets.get(action.target)!;
    const copy: Action = { ...action, target, set: setOf(action.set)!, entries: [...action.entries] };
    actions.set(action, copy);
    repository.actions.set(id, copy);
    target.actions.push(copy);
  }
  const copies = [...rollouts].map((rollout) => ({
    ...rollout,
    set: setOf(rollout.set)!,
    targets: rollout.targets.flatMap((each) => targets.get(each) ?? []),
    // An action of a target that was deleted is nobody's any more, and still counts.
    actions: rollout.actions.map((group) => group.map((each) => actions.get(each) ?? { ...each })),
  }));
  return { repository, rollouts: copies };
}
