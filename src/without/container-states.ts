/** In place of job/container-states.ts, by manifest_without_containers.json: no job enters the states of a container. */
export const chosen = undefined;
export const baseFound = undefined;
export const lengthsRead = undefined;
export const expanded = undefined;
export const sectorExpanded = undefined;
export const expandOn = undefined;
