/** Changes that the cloud announces, and pages that ask again when a change concerns them. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, Problem } from "./api";

type Ids = readonly string[] | true;
export type Topic = "packages" | "devices" | "messages" | "rollouts" | "boards" | "journal" | "broker" | "warnings";

/** Milliseconds between two questions of one page, at least. */
const REFRESH_INTERVAL = 800;

const listeners = new Set<(topic: Topic | "all", ids: Ids, atOnce: boolean) => void>();
const states = new Set<(connected: boolean) => void>();
let stream: EventSource | undefined;

/** Begins to listen. Every new connection may have missed something, so that all pages ask again. */
export function listen(): void {
  stream ??= new EventSource("/cloud/v1/events");
  stream.addEventListener("hello", () => {
    announce("all", true);
    for (const state of states) state(true);
  });
  stream.addEventListener("error", () => {
    for (const state of states) state(false);
    // Closed for good means refused, not out of reach. A request shows whether the session is over.
    if (stream?.readyState === EventSource.CLOSED) void ask("GET", "/overview").catch(() => undefined);
  });
  stream.addEventListener("changes", (event) => {
    const changes = JSON.parse((event as MessageEvent<string>).data) as { [topic in Topic]?: Ids };
    for (const [topic, ids] of Object.entries(changes)) announce(topic as Topic, ids);
  });
}

/** Announces what this page itself has just done: it is shown at once. */
export function tell(topic: Topic, ids: Ids): void {
  announce(topic, ids, true);
}

function announce(topic: Topic | "all", ids: Ids, atOnce = false): void {
  for (const listener of listeners) listener(topic, ids, atOnce);
}

export function useConnected(): boolean {
  const [connected, setConnected] = useState(true);
  useEffect(() => {
    states.add(setConnected);
    return () => void states.delete(setConnected);
  }, []);
  return connected;
}

export interface Live<T> {
  /** Undefined before the first answer. */
  readonly data: T | undefined;
  readonly problem: Problem | undefined;
  reload(): void;
}

/**
 * The answer to a GET, asked again when one of the topics changes: for `id` where one is given. `path` undefined:
 * nothing is asked.
 */
export function useLive<T>(path: string | undefined, topics: readonly Topic[], id?: string): Live<T> {
  const [state, setState] = useState<{ path: string | undefined; data: T | undefined; problem: Problem | undefined }>({
    path: undefined,
    data: undefined,
    problem: undefined,
  });
  const due = useRef<{ timer: number | undefined; last: number; abort: AbortController | undefined }>({
    timer: undefined,
    last: 0,
    abort: undefined,
  });

  const load = useCallback(() => {
    if (path === undefined) return;
    due.current.timer = undefined;
    due.current.last = Date.now();
    due.current.abort?.abort();
    const abort = new AbortController();
    due.current.abort = abort;
    ask<T>("GET", path, undefined, abort.signal).then(
      (data) => setState({ path, data, problem: undefined }),
      (problem: unknown) => {
        // That the cloud is out of reach is shown once, above every page.
        if (!abort.signal.aborted && (problem as Problem).status !== 0)
          setState((before) => ({
            path,
            data: before.path === path ? before.data : undefined,
            problem: problem as Problem,
          }));
      },
    );
  }, [path]);

  const soon = useCallback(() => {
    due.current.timer ??= window.setTimeout(load, Math.max(0, due.current.last + REFRESH_INTERVAL - Date.now()));
  }, [load]);

  useEffect(() => {
    load();
    const listener = (topic: Topic | "all", ids: Ids, atOnce: boolean): void => {
      if (topic !== "all" && !topics.includes(topic)) return;
      if (id !== undefined && ids !== true && !ids.includes(id)) return;
      if (!atOnce) return soon();
      clearTimeout(due.current.timer);
      load();
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      clearTimeout(due.current.timer);
      due.current.timer = undefined;
      due.current.abort?.abort();
    };
  }, [load, soon, id, topics.join()]);

  const current = state.path === path ? state : { data: undefined, problem: undefined };
  return { data: current.data, problem: current.problem, reload: load };
}

/** One action at a time, and what came of it. */
export function useAction(): {
  readonly busy: boolean;
  readonly problem: string | undefined;
  run(work: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>();
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run, clear: () => setProblem(undefined) };
}
