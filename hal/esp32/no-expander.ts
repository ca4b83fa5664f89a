/** In place of ota_expander.ts, by src/manifest_without_containers.json: no job of such firmware expands anything. */
export const EspExpander = undefined;
