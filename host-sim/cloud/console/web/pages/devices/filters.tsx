import type { ComponentChildren, JSX } from "preact";
import type { Views } from "../../api";
import { plural } from "../../format";

/** Which devices are shown. */
export interface Filter {
  readonly search: string;
  /** "*": every one; "": those that never reported. */
  readonly version: string;
  /** A status of the last update, or online or offline; "": every one. */
  readonly status: string;
}

export const NO_FILTER: Filter = { search: "", version: "*", status: "" };

const STATES = ["online", "offline", "pending", "pushed", "upgrading", "success", "failure", "cancelled"];

/** Query of the API for one page of the devices that fit. */
export function queryOf({ search, version, status }: Filter, limit: number, offset: number): string {
  return new URLSearchParams({
    limit: String(limit),
    offset: String(offset),
    ...(search === "" ? {} : { search }),
    ...(version === "*" ? {} : { version }),
    ...(status === ""
      ? {}
      : status === "online" || status === "offline"
        ? { online: String(status === "online") }
        : { status }),
  }).toString();
}

export function Filters({
  filter,
  set,
  shown,
  children,
}: {
  filter: Filter;
  set: (change: Partial<Filter>) => void;
  shown: Views["deviceList"];
  children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="filters" role="search">
      <label>
        <span class="hidden">Search by name</span>
        <input
          type="search"
          placeholder="Search by name"
          value={filter.search}
          onInput={(event) => set({ search: event.currentTarget.value })}
        />
      </label>
      <label>
        <span class="hidden">Version</span>
        <select value={filter.version} onChange={(event) => set({ version: event.currentTarget.value })}>
          <option value="*">Every version</option>
          {shown.versions.map((one) => (
            <option key={one.version} value={one.version}>
              {one.version === "" ? "never reported" : one.version} ({one.count})
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="hidden">State</span>
        <select value={filter.status} onChange={(event) => set({ status: event.currentTarget.value })}>
          <option value="">Every state</option>
          {STATES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <span class="faint">{plural(shown.total, "device")}</span>
      {children}
    </div>
  );
}
