"use strict";
(() => {
  const root = document.documentElement;

  // Storage is refused in some browsers for pages opened from a file.
  const remember = (key, value) => {
    try { localStorage.setItem(key, value); } catch { /* the choice lasts for this page */ }
  };
  const recall = (key) => {
    try { return localStorage.getItem(key); } catch { return null; }
  };

  // Before the page is painted, so that it does not flash in the other theme.
  const chosen = recall("cifar100-theme");
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

  function themeSwitch() {
    const button = document.getElementById("theme-switch");
    const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.setAttribute("aria-description", "Switch the colour theme");
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember("cifar100-theme", root.dataset.theme);
      label();
    });
    system.addEventListener("change", label);
    label();
    button.hidden = false;
  }

  function codeSwitch() {
    const button = document.getElementById("code-switch");
    if (!button) return;
    const blocks = document.querySelectorAll(".code:not(.plumbing) > details");
    let shown = recall("cifar100-code") !== "folded";
    const apply = () => {
      for (const block of blocks) block.open = shown;
      button.textContent = shown ? "Hide code" : "Show code";
    };
    button.addEventListener("click", () => {
      shown = !shown;
      remember("cifar100-code", shown ? "shown" : "folded");
      apply();
    });
    apply();
    button.hidden = blocks.length === 0;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no permission, or no clipboard on a page from a file
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  function copyButtons() {
    const news = document.createElement("div");
    news.className = "unseen";
    news.setAttribute("role", "status");
    document.body.append(news);
    for (const block of document.querySelectorAll(".code")) {
      const pre = block.querySelector("pre");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", `Copy ${pre.getAttribute("aria-label")}`);
      button.addEventListener("click", async () => {
        await copy(pre.textContent);
        button.textContent = news.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; news.textContent = ""; }, 1500);
        button.focus();
      });
      block.append(button);
    }
  }

  // What does not scroll need not be a stop for the keyboard.
  function tabStops() {
    for (const box of document.querySelectorAll("main pre, main .table")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // Paper cannot be unfolded; solutions stay folded, as on the page.
  function printing() {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll(".code:not(.plumbing) > details:not([open])")];
      for (const block of opened) block.open = true;
    });
    addEventListener("afterprint", () => {
      for (const block of opened) block.open = false;
    });
  }

  // On a narrow screen the contents lie over the page: a chosen section closes them.
  function contents() {
    const list = document.getElementById("contents");
    list.addEventListener("click", (event) => {
      if (event.target.closest("a") && list.matches(":popover-open")) list.hidePopover();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const part of [themeSwitch, codeSwitch, copyButtons, tabStops, printing, contents]) part();
    addEventListener("resize", tabStops);
    document.addEventListener("toggle", tabStops, true);
  });
})();
