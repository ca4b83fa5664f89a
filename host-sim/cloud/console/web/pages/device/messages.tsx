import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { part, type Views } from "../../api";
import { clock, exact } from "../../format";
import { useLive } from "../../live";
import { Empty, ProblemNote } from "../../parts";

const SHOWN = 100;

export function Messages({ id }: { id: string }): JSX.Element {
  const { data, problem } = useLive<{ items: Views["message"][] }>(`/devices/${part(id)}/messages`, ["messages"], id);
  const [all, setAll] = useState(false);
  const items = data?.items ?? [];
  const shown = (all ? items : items.slice(-SHOWN)).toReversed();
  return (
    <section>
      <h2>Messages</h2>
      <ProblemNote problem={problem} />
      {items.length === 0 ? (
        <Empty title="Not a word yet">
          <p>What goes over the broker in either direction appears here as it happens.</p>
        </Empty>
      ) : (
        <ol class="messages" aria-label="messages, newest first" tabIndex={0}>
          {shown.map((message, index) => (
            <li key={`${message.at} ${items.length - index}`} class={message.direction}>
              <span class="when mono" title={exact(message.at)}>
                {clock(message.at)}
              </span>
              <span class="way" aria-label={message.direction === "up" ? "from the device" : "to the device"}>
                {message.direction === "up" ? "▲" : "▼"}
              </span>
              <code>{message.payload}</code>
              <span class="faint mono topic">
                {message.topic} · QoS {message.qos}
                {message.dup ? " · repeated" : ""}
              </span>
            </li>
          ))}
        </ol>
      )}
      {!all && items.length > SHOWN && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          Show all {items.length}
        </button>
      )}
    </section>
  );
}
