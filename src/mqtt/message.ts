/** What a session is given to connect and to send. Types only. */

export interface Identity {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Seconds. */
  readonly keepAlive: number;
}

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
}
