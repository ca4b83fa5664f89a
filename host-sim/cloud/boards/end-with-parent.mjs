// Loaded before a board's own program. The board ends with its parent process, however that ends: its stdin, a pipe, is closed then.
process.stdin.once("end", () => process.kill(process.pid, "SIGKILL"));
process.stdin.once("error", () => process.kill(process.pid, "SIGKILL"));
process.stdin.resume();
process.stdin.unref?.();
