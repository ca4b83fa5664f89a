/** Devices that do one thing wrong: the right device with a port, a report or a step changed. */
import type { Boot, Flash, Store } from "../../src/ports";
import type { StoragePorts } from "../../hal/model-chip/board-ports";
import { JobDevice } from "./simulation/job-device";
import type { Device, MakeDevice, Surroundings } from "./simulation/device";
import { InvariantMonitor } from "./checks/invariant-monitor";

/** The firmware uses its ports in another way, above the monitor. */
export function withPorts(
  change: (ports: StoragePorts, surroundings: Surroundings) => Partial<StoragePorts>,
): MakeDevice {
  return (surroundings) => {
    const { monitor } = surroundings;
    (monitor as { ports: StoragePorts }).ports = { ...monitor.ports, ...change(monitor.ports, surroundings) };
    return new JobDevice(surroundings);
  };
}

export function withFlash(change: (flash: Flash, surroundings: Surroundings) => Partial<Flash>): MakeDevice {
  return withPorts(({ flash }, surroundings) => ({ flash: { ...flash, ...change(flash, surroundings) } }));
}

export function withBoot(change: (boot: Boot, surroundings: Surroundings) => Partial<Boot>): MakeDevice {
  return withPorts(({ boot }, surroundings) => ({ boot: { ...boot, ...change(boot, surroundings) } }));
}

export function withStore(change: (store: Store, surroundings: Surroundings) => Partial<Store>): MakeDevice {
  return withPorts(({ store }, surroundings) => ({ store: { ...store, ...change(store, surroundings) } }));
}

/** The store breaks its contract, below the monitor. */
export function onStore(change: (store: Store) => Partial<Store>): MakeDevice {
  return ({ simulation, monitor, cycle }) => {
    const { store } = simulation.board.ports;
    const sound: Store = {
      getNumber: (key) => store.getNumber(key),
      getBytes: (key) => store.getBytes(key),
      setNumber: (key, value) => store.setNumber(key, value),
      setBytes: (key, bytes) => store.setBytes(key, bytes),
      delete: (key) => store.delete(key),
    };
    const own = new InvariantMonitor(simulation, { ...simulation.board.ports, store: { ...sound, ...change(sound) } });
    own.healthy = monitor.healthy;
    return new JobDevice({ simulation, monitor: own, cycle });
  };
}

/** Acts before each start of the right device. */
export function beforeStart(act: (surroundings: Surroundings) => void): MakeDevice {
  return withDevice((device, surroundings) => ({
    start: () => {
      act(surroundings);
      device.start();
    },
  }));
}

/** Acts after each step of the right device. */
export function afterStep(act: (surroundings: Surroundings) => void): MakeDevice {
  return withDevice((device, surroundings) => ({
    step: () => {
      const more = device.step();
      act(surroundings);
      return more;
    },
  }));
}

export function withDevice(change: (device: Device, surroundings: Surroundings) => Partial<Device>): MakeDevice {
  return (surroundings) => {
    const device = new JobDevice(surroundings);
    const right: Device = {
      get state() {
        return device.state;
      },
      start: () => device.start(),
      step: () => device.step(),
      answers: () => device.answers(),
    };
    return Object.defineProperties(right, Object.getOwnPropertyDescriptors(change(device, surroundings)));
  };
}
