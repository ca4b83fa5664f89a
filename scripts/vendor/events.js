/** As much of Node's EventEmitter as mqtt-packet uses. */
export class EventEmitter {
  constructor() {
    this.listeners = new Map();
  }

  on(event, listener) {
    const known = this.listeners.get(event);
    if (known) known.push(listener);
    else this.listeners.set(event, [listener]);
    return this;
  }

  emit(event, ...values) {
    const known = this.listeners.get(event);
    // As in Node: an error that nobody listens for is thrown.
    if (!known && event === "error") throw values[0];
    for (const listener of known ?? []) listener.apply(this, values);
    return known !== undefined;
  }
}
