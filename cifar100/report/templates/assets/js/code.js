// One switch for all code of a page; each cell unfolds by itself too. And copying it.
function codeSwitch() {
  const button = document.getElementById("code-switch");
  if (!button) return;
  const blocks = document.querySelectorAll(".code:not(.plumbing) > details");
  let shown = recall("code") !== "folded";
  const apply = () => {
    for (const block of blocks) block.open = shown;
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => {
    shown = !shown;
    remember("code", shown ? "shown" : "folded");
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
  const blocks = document.querySelectorAll(".code");
  if (blocks.length === 0) return;
  const news = document.createElement("div");
  news.className = "unseen";
  news.setAttribute("role", "status");
  document.body.append(news);
  for (const block of blocks) {
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

function tabStopsFollowTheLayout() {
  tabStops();
  addEventListener("resize", tabStops);
  document.addEventListener("toggle", tabStops, true);
}
