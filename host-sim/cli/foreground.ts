import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isatty } from "node:tty";

/**
 * Calls `entered` at each line that is typed while this process is in the foreground of a terminal. A job in the
 * background must not read: the terminal would stop it (SIGTTIN; POSIX, "Terminal Access Control").
 */
export function onEnter(entered: () => void): void {
  if (!isatty(0)) return;
  let listening = false;
  const follow = (): void => {
    if (inForeground() === listening) return;
    listening = !listening;
    if (listening) process.stdin.on("data", entered).resume().unref();
    else process.stdin.off("data", entered).pause();
  };
  follow();
  // The shell's `bg` and `fg` send it.
  process.on("SIGCONT", follow);
}

/** The process group that the terminal belongs to is our own. */
function inForeground(): boolean {
  try {
    const [own, foreground] = process.platform === "linux" ? groupsOfProc() : groupsOfPs();
    return own === foreground;
  } catch {
    return false;
  }
}

/** proc(5): state, ppid, pgrp, session, tty_nr, tpgid follow the name, which may hold anything. */
function groupsOfProc(): [string | undefined, string | undefined] {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [fields[2], fields[5]];
}

function groupsOfPs(): [string | undefined, string | undefined] {
  const { stdout } = spawnSync("ps", ["-o", "pgid=,tpgid=", "-p", String(process.pid)], { encoding: "utf8" });
  const [own, foreground] = stdout.trim().split(/\s+/);
  return [own, foreground];
}
