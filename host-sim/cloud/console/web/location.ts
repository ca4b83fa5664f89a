/** Where in the console one is: the part of the address after #. */
import { useEffect, useState } from "preact/hooks";

export interface Place {
  /** "devices", "rollouts" ... */
  readonly page: string;
  readonly id: string | undefined;
  readonly query: URLSearchParams;
}

export function place(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", id] = path.split("/").map(decoded);
  return { page, id, query: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [now, setNow] = useState(place);
  useEffect(() => {
    const moved = (): void => {
      setNow(place());
      window.scrollTo(0, 0);
    };
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  return now;
}

export function linkTo(page: string, id?: string, query?: Record<string, string>): string {
  const search = query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
  return `#/${page}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${search}`;
}

export function goTo(page: string, id?: string, query?: Record<string, string>): void {
  location.hash = linkTo(page, id, query);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
