// The explorer's page: chooser, chart, legend, tables and files follow one view.
document.addEventListener("DOMContentLoaded", () => {
  const { LETTERS, MOST, QUANTITIES, AXES, shown } = explorerView;
  const { all, make, sign } = explorerParts;
  const CURSOR_STEPS = 200; // where the axis is not epochs
  const SAVED_WIDTH = 900; // of a chart in a file, whatever the width of the screen

  const find = (id) => document.getElementById(`explorer-${id}`);
  const { experiments, groups, start } = JSON.parse(find("data").textContent);
  if (start.length === 0) return;

  const rows = new Map(all("#explorer-table tbody tr").map((row) => [row.dataset.name, row]));
  const slider = find("cursor").querySelector("input");
  let view = explorerView.usual(start);
  let chart = null;
  let domain = [0, 1]; // of the slider, along the horizontal axis
  let bend = [Number, Number]; // to the axis' own scale and back: logarithmic or as it is

  const chosen = () => explorerView.chosen(view);
  const isFinal = () => view.view === "final";

  // choosing

  const count = () => `${chosen().length} of at most ${MOST} chosen.`;

  function add(name) {
    const slot = [...LETTERS].findIndex((_, place) => !view.slots[place]);
    if (slot < 0) return `${MOST} are the most that one chart can hold: take one away first.`;
    view.slots = Object.assign(Array(Math.max(view.slots.length, slot + 1)).fill(""), view.slots);
    view.slots[slot] = name;
    return `${name} added as ${LETTERS[slot]}. ${count()}`;
  }

  function remove(name) {
    view.slots[view.slots.indexOf(name)] = "";
    return `${name} taken away. ${count()}`;
  }

  const chooser = explorerParts.chooser(find("list"), {
    toggle: (name) => update(view.slots.includes(name) ? remove(name) : add(name)),
    showOnly(names) {
      view.slots = names.slice(0, MOST);
      update(names.length > MOST ? `The first ${MOST} of ${names.length} are shown.` : count());
    },
  });

  function filter() {
    const text = find("search").value.trim();
    chooser.tick(view.slots);
    const left = chooser.filter(text, (name) => experiments[name].search);
    const words = `${left} experiment${left === 1 ? " matches" : "s match"}.`;
    find("matches").textContent = text ? words : "";
  }

  function group(by) {
    chooser.show(groups[by]);
    filter();
  }

  // chart

  function drawChart() {
    const place = find("chart");
    const isEmpty = chosen().length === 0;
    for (const part of ["downloads", "details"]) find(part).hidden = isEmpty;
    find("cursor").hidden = isEmpty || isFinal();
    if (isEmpty) {
      chart = null;
      place.replaceChildren(make("p", {}, "Nothing is chosen. Tick an experiment in the list."));
      return;
    }
    const drawn = explorerView.panels(view, experiments);
    const width = Math.max(260, Math.floor(place.clientWidth));
    const wanted = explorerView.settings(view, drawn);
    chart = explorerChart.draw(drawn, { ...wanted, width });
    const words = `${explorerView.describe(view, drawn)} The tables below hold the numbers.`;
    chart.svg.setAttribute("aria-label", words);
    place.replaceChildren(chart.svg);
    if (!isFinal()) setCursor(drawn[0].series, wanted.log);
  }

  // cursor: a slider, whose place the chart marks and whose values the legend shows

  function setCursor(series, log) {
    bend = log ? [Math.log, Math.exp] : [Number, Number];
    domain = [
      Math.min(...series.map(({ x }) => x[0])), Math.max(...series.map(({ x }) => x.at(-1))),
    ];
    const [min, max] = view.by === "epoch" ? domain : [0, CURSOR_STEPS];
    Object.assign(slider, { min, max, value: max });
  }

  function cursorValue() {
    if (view.by === "epoch") return Number(slider.value);
    const [first, last] = domain.map(bend[0]);
    return bend[1](first + (slider.value / CURSOR_STEPS) * (last - first));
  }

  function moveCursor() {
    const isEnd = isFinal() || slider.value === slider.max;
    const place = isEnd ? Infinity : cursorValue();
    const said = all("#explorer-legend li").map((item) => {
      const experiment = experiments[item.dataset.name];
      const words = view.show.map((q) => explorerView.valueAt(view, experiment, q, place));
      item.querySelector(".value").textContent = words.join(" · ");
      return `${item.querySelector("b").textContent} ${words.join(", ")}`;
    });
    const end = isFinal() ? "after training" : "at the end";
    const when = isEnd ? end : AXES[view.by].after(place);
    const names = view.show.map((quantity) => QUANTITIES[quantity].name);
    find("when").textContent = `${names.join(" · ")}, ${when}`;
    slider.setAttribute("aria-valuetext", `${when}: ${said.join("; ")}`);
    chart?.cursor(isEnd ? null : place);
  }

  function followPointer({ clientX, clientY }) {
    const value = isFinal() ? null : chart?.valueAt(clientX, clientY) ?? null;
    if (value === null) return;
    const [place, first, last] = [value, ...domain].map(bend[0]);
    const steps = Math.round(((place - first) / (last - first)) * CURSOR_STEPS);
    slider.value = view.by === "epoch" ? Math.round(value) : steps;
    moveCursor();
  }

  // legend, tables, notes

  function drawLegend() {
    const items = chosen().map((one, place) => explorerParts.legendItem(one, {
      emphasise,
      takeAway() {
        update(remove(one.name));
        const left = all("#explorer-legend button"); // the keyboard stays where it was
        (left[Math.min(place, left.length - 1)] ?? find("search")).focus();
      },
    }));
    find("legend").replaceChildren(...items);
  }

  function emphasise(slot) {
    for (const part of all("#explorer-chart .series")) {
      part.classList.toggle("faint", slot !== null && part.dataset.slot !== String(slot));
    }
  }

  function drawTable() {
    for (const [name, row] of rows) {
      row.hidden = !view.slots.includes(name);
      for (const button of all("button", row)) {
        button.hidden = !(button.value in experiments) || view.slots.includes(button.value);
      }
    }
    for (const { name, slot } of chosen()) {
      const row = rows.get(name);
      row.querySelector(".sign").replaceChildren(...sign(slot));
      row.parentElement.append(row);
    }
  }

  function drawNumbers() {
    const part = find("numbers");
    part.hidden = isFinal();
    if (!part.open || part.hidden || chosen().length === 0) return;
    const tables = view.show.map((quantity) => {
      const series = chosen().map(({ name, slot }) => ({
        name, slot, ...explorerView.curves("epoch", experiments[name], quantity),
      }));
      return explorerParts.numbers(explorerView.title(view, quantity), quantity, series);
    });
    part.querySelector("div").replaceChildren(...tables);
  }

  function drawNotes() {
    const lettersOf = (test) => chosen().filter(({ name }) => test(experiments[name]))
      .map(({ slot }) => LETTERS[slot]).join(", ");
    const single = lettersOf(({ runs }) => runs.length === 1);
    const shared = lettersOf((experiment) => experiment.shared);
    const marks = {
      final: "Open dots are runs, full dots their means, bars 95 % intervals over seeds.",
      band: "Lines are means over seeds, bands one standard deviation.",
      each: "One line for each seed.",
    };
    const axis = {
      petaflop: "1 PF is 10¹⁵ floating-point operations; only what is trained counts.",
      seconds: shared && `${shared}: recorded beside other runs, so no measure of speed.`,
    };
    const parts = [marks[isFinal() ? "final" : view.seeds], single && `One run only: ${single}.`];
    find("notes").textContent = [...parts, axis[view.by]].filter(Boolean).join(" ");
  }

  function drawControls() {
    for (const input of all("#explorer-controls input")) {
      const { name, value } = input;
      input.checked = name === "show" ? view.show.includes(value) : view[name] === value;
    }
    find("count").textContent = `${chosen().length} chosen`;
    find("seeds").disabled = isFinal(); // final values show all runs anyway
    find("first-axis").textContent = isFinal() ? "side by side" : "epoch";
  }

  function draw() {
    chooser.tick(view.slots);
    drawControls();
    drawLegend();
    drawChart();
    moveCursor();
    drawNotes();
    drawTable();
    drawNumbers();
  }

  function update(message = "") {
    history.replaceState(null, "", `#${explorerView.toAddress(view)}`);
    draw();
    find("status").textContent = message;
  }

  function followAddress() {
    const fragment = location.hash.slice(1);
    if (fragment && !fragment.includes("=")) return; // a place on the page, not a view
    const read = explorerView.fromAddress(fragment, experiments, start);
    view = read.view;
    draw();
    filter();
    const { lost } = read;
    find("status").textContent = lost.length ? `Not recorded: ${lost.join(", ")}.` : "";
  }

  // files

  function saveChart() {
    const drawn = explorerView.panels(view, experiments);
    const wanted = { ...explorerView.settings(view, drawn), width: SAVED_WIDTH, key: true };
    const { svg } = explorerChart.draw(drawn, wanted);
    svg.setAttribute("aria-label", explorerView.describe(view, drawn));
    find("canvas").replaceChildren(svg);
    const text = explorerChart.standalone(svg, getComputedStyle(document.body).backgroundColor);
    find("canvas").replaceChildren();
    explorerParts.save("cifar100-curves.svg", "image/svg+xml", text);
  }

  // what the reader does

  function listen() {
    find("search").addEventListener("input", filter);
    for (const input of all("#explorer-chooser [name=group]")) {
      input.addEventListener("change", () => group(input.value));
    }
    find("controls").addEventListener("change", ({ target: { name, value } }) => {
      const ticked = all("#explorer-controls [name=show]:checked").map((box) => box.value);
      if (name !== "show") view[name] = value;
      else if (ticked.length) view.show = ticked;
      update(ticked.length ? "" : "A chart shows at least one quantity.");
    });
    find("legend").addEventListener("focusin", ({ target }) =>
      emphasise(Number(target.closest("li").dataset.slot)));
    find("legend").addEventListener("focusout", () => emphasise(null));
    slider.addEventListener("input", moveCursor);
    find("chart").addEventListener("pointermove", followPointer);
    find("chart").addEventListener("pointerdown", followPointer);
    find("table").addEventListener("click", ({ target }) => {
      if (!target.matches("button")) return;
      update(add(target.value));
      rows.get(target.value).focus(); // the button is gone
    });
    find("numbers").addEventListener("toggle", drawNumbers);
    find("csv").addEventListener("click", () =>
      explorerParts.save("cifar100-curves.csv", "text/csv", explorerView.csv(view, experiments)));
    find("svg").addEventListener("click", saveChart);
    addEventListener("hashchange", followAddress);
    new ResizeObserver(drawChartAgain).observe(find("chart"));
  }

  let lastWidth = 0;
  function drawChartAgain([{ contentRect: { width } }]) {
    if (Math.abs(width - lastWidth) < 1) return; // its own height changed
    lastWidth = width;
    drawChart();
    moveCursor();
  }

  find("tool").hidden = false;
  find("chooser").open = !matchMedia("(max-width: 56rem)").matches;
  group(all("#explorer-chooser [name=group]:checked")[0].value); // a reload may keep it
  draw();
  followAddress();
  listen();
});
