// Parts of the explorer's page that are made by script: chooser, legend, number tables.
const explorerParts = (() => {
  const { LETTERS, shown } = explorerView;

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  /** An element with properties; `data` goes to its dataset, `label` is its ARIA name. */
  function make(tag, properties = {}, ...children) {
    const { data = {}, label, ...rest } = properties;
    const made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, data);
    if (label) made.setAttribute("aria-label", label);
    made.append(...children);
    return made;
  }

  function button(words, label, action) {
    const made = make("button", { type: "button", label }, words);
    made.addEventListener("click", action);
    return made;
  }

  /** Line and letter of a slot. */
  const sign = (slot) => [
    make("span", { className: "swatch", data: { slot } }, explorerChart.sample()),
    make("b", {}, LETTERS[slot]),
  ];

  // A group of the chooser: {title, members: [[name, depth]]}.
  function chooserGroup({ title, members }, { toggle, showOnly }) {
    const labels = members.map(([name, depth]) => {
      const box = make("input", { type: "checkbox", value: name });
      box.addEventListener("change", () => toggle(name));
      const label = make("label", { data: { name } }, box, make("span", {}, name));
      label.style.setProperty("--depth", depth);
      return label;
    });
    const visible = () => labels.filter(({ hidden }) => !hidden).map(({ dataset }) => dataset.name);
    const only = button("Show only these", `Show only these: ${title}`, () => showOnly(visible()));
    const size = make("span", { className: "count" });
    return make("details", { data: { size: members.length } },
      make("summary", {}, make("span", {}, title), size),
      make("div", { role: "group", label: title }, ...labels, only));
  }

  /**
   * The list of experiments in `place`. `show(groups)` builds it, `tick(names)` marks the
   * chosen ones, `filter(text, search)` leaves those whose `search(name)` holds all words
   * of the text, and returns how many. `actions` are toggle(name) and showOnly(names).
   */
  function chooser(place, actions) {
    const parts = () => all("details", place);
    return {
      show(groups) {
        place.replaceChildren(...groups.map((group) => chooserGroup(group, actions)));
      },
      tick(names) {
        for (const box of all("input", place)) box.checked = names.includes(box.value);
        for (const part of parts()) {
          const ticked = all("input:checked", part).length;
          const { size } = part.dataset;
          part.querySelector(".count").textContent = ticked ? `${ticked} of ${size}` : size;
        }
      },
      // Groups with something chosen, or found, stand open; the others cost one stop each.
      filter(text, search) {
        const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
        for (const label of all("label", place)) {
          const words = search(label.dataset.name);
          label.hidden = !terms.every((term) => words.includes(term));
        }
        for (const part of parts()) {
          const isChosen = part.querySelector("input:checked") !== null;
          part.hidden = part.querySelector("label:not([hidden])") === null;
          part.open = !part.hidden && (terms.length > 0 || isChosen);
        }
        return all("label:not([hidden])", place).length;
      },
    };
  }

  /** An item of the legend; its value is filled in later. */
  function legendItem({ name, slot }, { takeAway, emphasise }) {
    const item = make("li", { data: { name, slot } }, ...sign(slot),
      make("span", { className: "name" }, name), make("span", { className: "value" }),
      button("×", `Take ${name} away`, takeAway));
    item.addEventListener("pointerenter", () => emphasise(slot));
    item.addEventListener("pointerleave", () => emphasise(null));
    return item;
  }

  /** Curves of one quantity as a table, an epoch a row: {name, slot, mean, deviation}. */
  function numbers(title, quantity, series) {
    const cell = ({ mean, deviation }, k) => {
      if (k >= mean.length) return "–";
      if (!deviation) return shown(quantity, mean[k]);
      return `${shown(quantity, mean[k]).replace(" %", "")} ± ${shown(quantity, deviation[k])}`;
    };
    const names = ["Epoch", ...series.map(({ name, slot }) => `${LETTERS[slot]} ${name}`)];
    const epochs = Math.max(...series.map(({ mean }) => mean.length));
    const rows = Array.from({ length: epochs }, (_, k) => make("tr", {},
      make("th", { scope: "row" }, String(k + 1)),
      ...series.map((one) => make("td", { className: "numeric" }, cell(one, k)))));
    const headings = names.map((words, k) =>
      make("th", { scope: "col", className: k ? "numeric" : "" }, words));
    const table = make("table", {},
      make("caption", {}, `${title}: mean ± one standard deviation over seeds`),
      make("thead", {}, make("tr", {}, ...headings)), make("tbody", {}, ...rows));
    return make("div", { className: "table", role: "group", label: title, tabIndex: 0 }, table);
  }

  /** Give the reader a file. */
  function save(name, type, content) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  return { all, make, sign, chooser, legendItem, numbers, save };
})();
