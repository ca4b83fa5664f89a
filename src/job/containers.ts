/**
 * The ways of an update job into containers of deltas. manifest_without_containers.json puts another module in place of
 * this one, and of container-states.ts.
 */
export { fileOf, plainInstead } from "./alternative";
export { choose } from "./choose";
export { expand } from "./expand";
