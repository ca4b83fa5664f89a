// Loaded before a board's own program: the board ends with the process that started it, however that ends, by a pipe that nobody writes to.
process.stdin.once("end", () => process.kill(process.pid, "SIGKILL"));
process.stdin.once("error", () => process.kill(process.pid, "SIGKILL"));
process.stdin.resume();
process.stdin.unref?.();
