/** What happens in the states of a container. Apart from containers.ts, since these handlers go back to the download. */
export { chosen } from "./choosing";
export { baseFound, expandOn, expanded, lengthsRead, sectorExpanded } from "./expanding";
