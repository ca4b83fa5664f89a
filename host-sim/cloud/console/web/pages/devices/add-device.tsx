import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, part, type Views } from "../../api";
import { tell, useAction, useLive } from "../../live";
import { linkTo } from "../../location";
import { Dialog, ProblemNote } from "../../parts";

type Kind = "tencent" | "thingspanel-v1" | "thingspanel-v0";

/** Adds a real device: what it has to know is a file to download. */
export function AddDeviceDialog({ close }: { close: () => void }): JSX.Element {
  const [kind, setKind] = useState<Kind>("tencent");
  const [product, setProduct] = useState("XSOTADESK1");
  const [name, setName] = useState("");
  const [added, setAdded] = useState<string | undefined>();
  const action = useAction();
  const add = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      const device =
        kind === "tencent"
          ? tencent(product.trim(), name.trim())
          : thingsPanel(kind.endsWith("1") ? "v1" : "v0", name.trim());
      const { ids } = await ask<{ ids: string[] }>("POST", "/devices", { devices: [device] });
      tell("devices", true);
      setAdded(ids[0]);
    });
  };
  if (added !== undefined) return <Added id={added} name={name.trim()} close={close} />;
  return (
    <Dialog title="Add a device" close={close}>
      <form onSubmit={add}>
        <label>
          Platform
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
            <option value="tencent">Tencent IoT Hub / Explorer</option>
            <option value="thingspanel-v1">ThingsPanel 1.x</option>
            <option value="thingspanel-v0">ThingsPanel 0.x</option>
          </select>
        </label>
        {kind === "tencent" && <ProductField product={product} set={setProduct} />}
        <NameField isTencent={kind === "tencent"} name={name} set={setName} />
        <p class="faint">Its secret is made here and goes into its device.json.</p>
        <ProblemNote problem={action.problem} />
        <footer>
          <button type="submit" class="primary" disabled={action.busy}>
            Add it
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function ProductField({ product, set }: { product: string; set: (product: string) => void }): JSX.Element {
  return (
    <label>
      Product id
      <input
        type="text"
        required
        pattern="[A-Za-z0-9]+"
        title="Up to 10 letters and digits"
        maxLength={10}
        value={product}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

function NameField({
  isTencent,
  name,
  set,
}: {
  isTencent: boolean;
  name: string;
  set: (name: string) => void;
}): JSX.Element {
  return (
    <label>
      {isTencent ? "Device name" : "Device number"}
      <input
        type="text"
        required
        pattern={isTencent ? "[A-Za-z0-9_:\\-]+" : "[^\\s\\/+#]+"}
        title={isTencent ? "Letters, digits, _ : and -" : "No blanks and none of / + #"}
        maxLength={48}
        value={name}
        placeholder="bench-01"
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

function Added({ id, name, close }: { id: string; name: string; close: () => void }): JSX.Element {
  const overview = useLive<Views["overview"]>("/overview", []);
  const secure = overview.data?.addresses["mqtts"] !== undefined;
  return (
    <Dialog title={`${name} is here`} close={close}>
      <p>Give it this file, and it is online as soon as it starts. The file holds the device's secret.</p>
      <p>
        <a class="button primary" href={`/cloud/v1/devices/${part(id)}/config`} download={`${name}.json`}>
          Download device.json
        </a>
      </p>
      <p class="faint">
        For a simulated board: <code>npx xs-ota device --config {name}.json --state board</code>. For an ESP32,
        docs/CLOUD.md says how it gets there; the cloud must listen where the board can reach it (
        <code>--host 0.0.0.0</code>).
      </p>
      {secure && (
        <p class="faint">
          The cloud speaks TLS: the file names the root certificate by its place on this machine. On another one, take
          the certificate along and correct the path.
        </p>
      )}
      <footer>
        <a class="button" href={linkTo("devices", id)} onClick={close}>
          Go to the device
        </a>
      </footer>
    </Dialog>
  );
}

function secret(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function tencent(productId: string, deviceName: string): object {
  return {
    platform: "tencent",
    identity: { productId, deviceName, deviceSecret: btoa(String.fromCharCode(...secret(16))) },
  };
}

function thingsPanel(profile: "v0" | "v1", deviceNumber: string): object {
  const username = [...secret(12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { platform: "thingspanel", identity: { profile, username, deviceNumber, clientId: deviceNumber } };
}
