// Light or dark: as the system says, until the switch has been used.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

const chosen = recall("theme");
if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen; // before painting

const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

function themeSwitch() {
  const button = document.getElementById("theme-switch");
  const tell = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember("theme", root.dataset.theme);
    tell();
  });
  system.addEventListener("change", tell);
  tell();
  button.hidden = false;
}
