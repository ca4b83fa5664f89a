/** The two things that the simulator needs of the process it runs in. Native functions are linked where they are called on `this`, hence a class. */
export class Process {
  /** An environment variable. */
  static environment(name: string): string | undefined {
    return native("xs_ota_process_environment").call(this, name) as string | undefined;
  }

  /** A broker that went away must end a connection, not the simulator: the SDK's Linux sockets write without MSG_NOSIGNAL. */
  static ignoreBrokenPipes(): void {
    native("xs_ota_process_ignoreBrokenPipes").call(this);
  }
}
