import type { JSX } from "preact";
import { useState } from "preact/hooks";

type Theme = "system" | "light" | "dark";
const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const KEY = "xs-ota-theme";

/** Chooses the theme: the system's, light or dark. */
export function ThemeButton(): JSX.Element {
  const [theme, setTheme] = useState<Theme>(storedTheme);
  const change = (): void => {
    localStorage.setItem(KEY, NEXT[theme]);
    setTheme(NEXT[theme]);
    applyTheme();
  };
  return (
    <button type="button" class="quiet" onClick={change}>
      Theme: {theme === "system" ? "auto" : theme}
    </button>
  );
}

/** Called before anything is drawn, too: a page in the wrong theme would flash. */
export function applyTheme(): void {
  const theme = storedTheme();
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

function storedTheme(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}
