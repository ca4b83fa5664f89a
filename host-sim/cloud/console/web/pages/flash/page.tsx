import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Views } from "../../api";
import { part } from "../../api";
import type { BoardBuild } from "../../flashing/build";
import type { Network } from "../../flashing/network";
import { serialProblem } from "../../flashing/web-serial";
import { useLive } from "../../live";
import { linkTo } from "../../location";
import { Head, Online, ProblemNote, Progress } from "../../parts";
import { IdentityFields, NEW_IDENTITY, type Identity } from "../devices/identity";
import { BuildField } from "./build-field";
import { useFlashing, type FlashingState, type Step } from "./flashing";

/** From a build and a board at a serial port to a device that is online. */
export function FlashPage(): JSX.Element {
  const unable = serialProblem();
  return (
    <>
      <Head title="Add a real board" above={<a href={linkTo("devices")}>Devices</a>} />
      <p class="lead">
        Plug a board in, choose what was built for it, and flash it: bootloader, partition table, firmware and the
        settings of a new device. Build and Wi-Fi password stay in this browser and go to the board alone.
      </p>
      {unable === undefined ? <FlashForm /> : <ProblemNote problem={unable} />}
    </>
  );
}

function FlashForm(): JSX.Element {
  const [build, setBuild] = useState<BoardBuild | undefined>();
  const [network, setNetwork] = useState<Network>({ ssid: "", password: "" });
  const [identity, setIdentity] = useState<Identity>(NEW_IDENTITY);
  const { state, flash } = useFlashing();
  const isBusy = state.step !== "ready" && state.step !== "started";
  const submit = (event: Event): void => {
    event.preventDefault();
    if (build === undefined) return;
    void flash({ build, network, identity });
  };
  // The name of the next board: one click flashes it.
  useEffect(() => {
    if (state.step === "started") setIdentity((done) => ({ ...done, name: nextName(done.name) }));
  }, [state.step]);
  return (
    <form class="sheet" onSubmit={submit}>
      <fieldset disabled={isBusy}>
        <legend>Build</legend>
        <BuildField build={build} set={setBuild} />
      </fieldset>
      <fieldset disabled={isBusy}>
        <legend>Network</legend>
        <NetworkFields network={network} set={setNetwork} />
      </fieldset>
      <fieldset disabled={isBusy}>
        <legend>Device</legend>
        <IdentityFields identity={identity} set={setIdentity} />
      </fieldset>
      <Unreachable />
      <ProblemNote problem={state.problem} />
      <footer>
        <button type="submit" class="primary" disabled={isBusy || build === undefined}>
          {state.step === "started" ? "Flash the next board" : "Choose the port and flash"}
        </button>
        <a class="faint" href="/console/licences.txt">
          Flashing by esptool-js of Espressif
        </a>
      </footer>
      <Happening state={state} />
    </form>
  );
}

function NetworkFields({ network, set }: { network: Network; set: (network: Network) => void }): JSX.Element {
  return (
    <>
      <label>
        Wi-Fi network
        <input
          type="text"
          maxLength={32}
          value={network.ssid}
          placeholder="none: the firmware has its own"
          onInput={(event) => set({ ...network, ssid: event.currentTarget.value })}
        />
      </label>
      <label>
        Wi-Fi password
        <input
          type="password"
          maxLength={64}
          autocomplete="off"
          value={network.password}
          onInput={(event) => set({ ...network, password: event.currentTarget.value })}
        />
      </label>
    </>
  );
}

/** A board on the network can not reach a cloud that listens on this machine alone. */
function Unreachable(): JSX.Element | null {
  const overview = useLive<Views["overview"]>("/overview", []);
  const { mqtts, mqtt } = overview.data?.addresses ?? {};
  if (!/\/\/(127\.|localhost|\[::1\])/.test(mqtts ?? mqtt ?? "")) return null;
  return (
    <p class="note">
      This cloud listens on this machine only: a board will start, but not come online. Start it with{" "}
      <code>--host 0.0.0.0</code>.
    </p>
  );
}

const WORDS: Readonly<Record<Step, string>> = {
  ready: "",
  connecting: "Looking at the board …",
  adding: "Making the device …",
  writing: "Writing; keep the board plugged in.",
  starting: "Written and verified. Starting it …",
  started: "Written and verified.",
};

function Happening({ state }: { state: FlashingState }): JSX.Element | null {
  const { step, share, log, device } = state;
  if (step === "ready") return null;
  return (
    <section class="card" aria-label="this board">
      <p role="status">{WORDS[step]}</p>
      {step === "writing" && <Progress percent={share * 100} label="flashing" />}
      {step === "started" && device !== undefined && <Arrival device={device} />}
      {log !== "" && (
        <pre class="log" aria-label="what the board prints" tabIndex={0}>
          {log}
        </pre>
      )}
    </section>
  );
}

function Arrival({ device }: { device: string }): JSX.Element | null {
  const { data } = useLive<Views["deviceDetail"]>(`/devices/${part(device)}`, ["devices"], device);
  if (data === undefined) return null;
  const { name, online, sleep, version } = data.device;
  return (
    <p class={online ? "note good" : "note"}>
      <a href={linkTo("devices", device)}>{name}</a> is <Online online={online} sleep={sleep} />
      {online && version !== undefined && ` with firmware ${version}`}
    </p>
  );
}

/** line-0042 is followed by line-0043, and bench by bench-2. */
function nextName(name: string): string {
  const [, stem, digits] = /^(.*?)(\d+)$/.exec(name.trim()) ?? [];
  if (stem === undefined || digits === undefined) return `${name.trim()}-2`;
  return `${stem}${String(Number(digits) + 1).padStart(digits.length, "0")}`;
}
