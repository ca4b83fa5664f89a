/** What identifies a new device on its platform. */
import type { JSX } from "preact";
import { ask } from "../../api";

type Kind = "tencent" | "thingspanel-v1" | "thingspanel-v0";

export interface Identity {
  readonly kind: Kind;
  /** Of Tencent alone. */
  readonly product: string;
  readonly name: string;
}

export const NEW_IDENTITY: Identity = { kind: "tencent", product: "XSOTADESK1", name: "" };

/** Adds the device with a secret of its own; resolves to its id. */
export async function addDevice({ kind, product, name }: Identity): Promise<string> {
  const device =
    kind === "tencent"
      ? tencent(product.trim(), name.trim())
      : thingsPanel(kind.endsWith("1") ? "v1" : "v0", name.trim());
  const { ids } = await ask<{ ids: string[] }>("POST", "/devices", { devices: [device] });
  return ids[0]!;
}

export function IdentityFields({
  identity,
  set,
}: {
  identity: Identity;
  set: (identity: Identity) => void;
}): JSX.Element {
  const isTencent = identity.kind === "tencent";
  return (
    <>
      <label>
        Platform
        <select
          value={identity.kind}
          onChange={(event) => set({ ...identity, kind: event.currentTarget.value as Kind })}
        >
          <option value="tencent">Tencent IoT Hub / Explorer</option>
          <option value="thingspanel-v1">ThingsPanel 1.x</option>
          <option value="thingspanel-v0">ThingsPanel 0.x</option>
        </select>
      </label>
      {isTencent && <ProductField product={identity.product} set={(product) => set({ ...identity, product })} />}
      <NameField isTencent={isTencent} name={identity.name} set={(name) => set({ ...identity, name })} />
    </>
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
