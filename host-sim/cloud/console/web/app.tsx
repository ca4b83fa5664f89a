import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask, Problem, SIGNED_OUT, type Views } from "./api";
import { listen, useConnected, useLive } from "./live";
import { linkTo, usePlace } from "./location";
import { DevicePage } from "./pages/device/page";
import { DevicesPage } from "./pages/devices/page";
import { FlashPage } from "./pages/flash/page";
import { JournalPage } from "./pages/journal";
import { NewRolloutPage } from "./pages/new-rollout/page";
import { OverviewPage } from "./pages/overview";
import { PackagesPage } from "./pages/packages/page";
import { RolloutPage } from "./pages/rollout/page";
import { RolloutsPage } from "./pages/rollouts";
import { Empty, Head } from "./parts";
import { ThemeButton } from "./theme";

const PAGES = [
  ["", "Overview"],
  ["packages", "Packages"],
  ["devices", "Devices"],
  ["rollouts", "Rollouts"],
  ["journal", "Journal"],
] as const;

export function App(): JSX.Element {
  const [entry, setEntry] = useState<"asking" | "in" | { problem: string | undefined }>("asking");
  useEffect(() => {
    enter().then(
      () => {
        listen();
        setEntry("in");
      },
      (problem: Problem) => setEntry({ problem: problem.status === 401 ? undefined : problem.message }),
    );
    const closed = (): void => setEntry({ problem: undefined });
    window.addEventListener(SIGNED_OUT, closed);
    return () => window.removeEventListener(SIGNED_OUT, closed);
  }, []);
  if (entry === "in") return <Console leave={() => void ask("DELETE", "/session").then(() => location.reload())} />;
  return (
    <main class="gate" aria-busy={entry === "asking"}>
      <Logo />
      {entry !== "asking" && <Closed problem={entry.problem} />}
    </main>
  );
}

/** With the one-time token in the address, if there is one; it does not stay there. */
async function enter(): Promise<void> {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (token !== undefined) {
    history.replaceState(undefined, "", location.pathname);
    // A link that was used before is no harm to a session that is open already.
    await ask("POST", "/session", { token }).catch(() => undefined);
  }
  await ask("GET", "/overview");
}

function Closed({ problem }: { problem: string | undefined }): JSX.Element {
  return (
    <div>
      <h1>This console is closed</h1>
      <p>
        Open the link that <code>xs-ota cloud</code> printed when it started. It works once; press Enter in that
        terminal for another one.
      </p>
      {problem !== undefined && (
        <p class="note problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

function Console({ leave }: { leave: () => void }): JSX.Element {
  const { page, id, query } = usePlace();
  const connected = useConnected();
  const current = PAGES.find(([name]) => name === page);
  useEffect(() => {
    document.title = `${current?.[1] ?? "No such page"} · xs-ota`;
  }, [current]);
  return (
    <div class="frame">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to content
      </a>
      <aside>
        <a class="brand" href={linkTo("")} aria-label="xs-ota, overview">
          <Logo />
        </a>
        <nav aria-label="main">
          {PAGES.map(([name, title]) => (
            <a key={name} href={linkTo(name)} aria-current={current?.[0] === name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="foot">
          <ThemeButton />
          <button type="button" class="quiet" onClick={leave}>
            Sign out
          </button>
        </div>
      </aside>
      <main id="main" tabIndex={-1}>
        {!connected && (
          <p class="note problem" role="alert">
            The cloud does not answer; this page shows what was known last.
          </p>
        )}
        <Warnings />
        <Page key={`${page}/${id ?? ""}`}>{pageOf(page, id, query)}</Page>
      </main>
    </div>
  );
}

/** What somebody should see to, on whatever page. */
function Warnings(): JSX.Element {
  const { data } = useLive<Views["overview"]>("/overview", ["warnings"]);
  return (
    <>
      {(data?.warnings ?? []).map((warning) => (
        <p class="note problem" role="status" key={warning}>
          {warning.charAt(0).toUpperCase() + warning.slice(1)}.
        </p>
      ))}
    </>
  );
}

function Page({ children }: { children: ComponentChildren }): JSX.Element {
  return <>{children}</>;
}

function pageOf(page: string, id: string | undefined, query: URLSearchParams): JSX.Element {
  switch (page) {
    case "packages":
      return <PackagesPage />;
    case "devices":
      return id === undefined ? <DevicesPage query={query} /> : id === "flash" ? <FlashPage /> : <DevicePage id={id} />;
    case "rollouts":
      return id === undefined ? (
        <RolloutsPage />
      ) : id === "new" ? (
        <NewRolloutPage query={query} />
      ) : (
        <RolloutPage id={id} />
      );
    case "journal":
      return <JournalPage />;
    case "":
      return <OverviewPage />;
    default:
      return (
        <>
          <Head title="No such page" />
          <Empty title="The address leads nowhere">
            <a class="button" href={linkTo("")}>
              Go to the overview
            </a>
          </Empty>
        </>
      );
  }
}

function Logo(): JSX.Element {
  return (
    <span class="logo">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" />
        <path d="M16 23V10m-5.500 5L16 9.500l5.500 5.500" />
      </svg>
      xs-ota
    </span>
  );
}
