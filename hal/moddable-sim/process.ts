/**
 * process.c: the two things that the simulator needs of its process. xsc binds a method to its C function where the
 * body is nothing but the call (Moddable SDK, "XS in C", Native).
 */
export class Process {
  /** An environment variable. */
  static environment(name: string): string | undefined {
    return native("xs_process_environment").call(this, name) as string | undefined;
  }

  /**
   * A broker that went away must end a connection, not the simulator: the SDK's Linux sockets write without
   * MSG_NOSIGNAL.
   */
  static ignoreBrokenPipes(): void {
    native("xs_process_ignoreBrokenPipes").call(this);
  }
}
