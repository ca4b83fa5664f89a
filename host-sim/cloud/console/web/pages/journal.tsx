import type { JSX } from "preact";
import type { Views } from "../api";
import { useLive } from "../live";
import { Ago, Empty, Head, ProblemNote } from "../parts";

export function JournalPage(): JSX.Element {
  const { data, problem } = useLive<Views["journal"]>("/journal", ["journal", "broker"]);
  return (
    <>
      <Head title="Journal" />
      <ProblemNote problem={problem} />
      {data?.items.length === 0 && (
        <Empty title="Nothing to report">
          <p>Connections that were refused and breaches of a platform's protocol appear here.</p>
        </Empty>
      )}
      {data !== undefined && data.items.length > 0 && (
        <table class="list">
          <caption class="hidden">journal, newest first</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map(({ at, who, what }, index) => (
              <tr key={`${at} ${index}`}>
                <td data-label="When">
                  <Ago at={at} />
                </td>
                <th scope="row" data-label="Who" class="mono">
                  {who}
                </th>
                <td data-label="What">{what}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
