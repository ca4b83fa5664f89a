import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { part, type Views } from "../../api";
import { tell, useAction, useLive } from "../../live";
import { linkTo } from "../../location";
import { Dialog, ProblemNote } from "../../parts";
import { addDevice, IdentityFields, NEW_IDENTITY, type Identity } from "./identity";

/** Adds a real device: what it has to know is a file to download. */
export function AddDeviceDialog({ close }: { close: () => void }): JSX.Element {
  const [identity, setIdentity] = useState<Identity>(NEW_IDENTITY);
  const [added, setAdded] = useState<string | undefined>();
  const action = useAction();
  const add = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      setAdded(await addDevice(identity));
      tell("devices", true);
    });
  };
  if (added !== undefined) return <Added id={added} name={identity.name.trim()} close={close} />;
  return (
    <Dialog title="Add a device" close={close}>
      <form onSubmit={add}>
        <IdentityFields identity={identity} set={setIdentity} />
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
        docs/guide/1-first-board.md says how it gets there; the cloud must listen where the board can reach it (
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
