// Draws the explorer's charts as SVG. Colours, dashes and typefaces are the style sheet's:
// a mark says which slot it belongs to, and no more. Lengths are pixels.
const explorerChart = (() => {
  const { LETTERS } = explorerView;
  const { MARGIN, fixed, clamp, element, line, text, scale, extent, spread, frame } = explorerAxes;
  const GUTTER = 28; // between panels beside each other
  const LABEL = { height: 15, letter: 34, character: 6.7 };
  const NARROWEST = 320; // of a plot that has names, not letters, in its margin
  const TWO_COLUMNS = 620;
  const KEY_ROW = 20;
  const BORDER = 14; // of a chart in a file

  const group = (slot, ...children) =>
    element("g", { class: "series", "data-slot": `${slot}` }, ...children);
  const signature = ({ slot, name }, isFull) =>
    isFull ? `${LETTERS[slot]}\u2002${name}` : LETTERS[slot];

  function path(xs, ys, x, y) {
    const points = xs.map((value, k) => `${fixed(x.place(value))} ${fixed(y.place(ys[k]))}`);
    return `M${points.join("L")}`;
  }

  function band({ x: xs, low, high }, x, y) {
    const there = path(xs, high, x, y);
    const back = path([...xs].reverse(), [...low].reverse(), x, y).replace("M", "L");
    return element("path", { d: `${there}${back}Z`, class: "band" });
  }

  /** Points from the top down, each with the place `at` for a letter that meets no other. */
  function withLetters(points) {
    const placed = [];
    for (const point of points.toSorted((a, b) => a.height - b.height)) {
      let at = point.height;
      const meets = (other) => Math.abs(other.across - point.across) < 14 && at - other.at < 13;
      while (placed.some(meets)) at += 1;
      placed.push({ ...point, at });
    }
    return placed;
  }

  // Names where lines end: in the margin for those that reach it, else beside the end.
  function endLabels(series, box, x, y, isFull) {
    const ends = series.map(({ name, slot, x: xs, mean }) => ({
      name, slot, across: x.place(xs.at(-1)), height: y.place(mean.at(-1)),
    }));
    const reaches = ({ across }) => across > box.right - 12;
    const outer = ends.filter(reaches);
    const heights = spread(outer.map(({ height }) => height), LABEL.height, box.top, box.bottom);
    return [
      ...outer.map((end, k) => group(end.slot,
        line(end.across + 3, end.height, box.right + 12, heights[k], "leader"),
        text(box.right + 16, heights[k] + 4, signature(end, isFull), "label"))),
      ...withLetters(ends.filter((end) => !reaches(end))).map((end) => group(end.slot,
        element("circle", { cx: end.across, cy: end.height, r: 3, class: "dot" }),
        text(end.across + 6, end.at + 4, LETTERS[end.slot], "label"))),
    ];
  }

  function curves(panel, box, domain, settings) {
    const { log, whole, each, isNarrow, isFull, xTitle } = settings;
    const count = isNarrow ? 4 : 7;
    const x = scale(domain.x, [box.left, box.right], { log, whole, count });
    const y = scale(domain.y, [box.bottom, box.top], panel);
    const drawn = each ? [] : panel.series.filter(({ low }) => low);
    const bands = drawn.map((series) => group(series.slot, band(series, x, y)));
    const lines = panel.series.map(({ slot, x: xs, mean, runs }) => {
      const paths = each ? runs : [{ x: xs, y: mean }];
      const name = each ? "line each" : "line";
      return group(slot, ...paths.map((run) =>
        element("path", { d: path(run.x, run.y, x, y), class: name })));
    });
    const cursor = line(0, box.top, 0, box.bottom, "cursor");
    cursor.setAttribute("visibility", "hidden");
    const labels = endLabels(panel.series, box, x, y, isFull);
    const parts = [...frame(box, panel.title, x, y, xTitle), ...bands, cursor, ...lines, ...labels];
    return { parts, cursor, x };
  }

  // Each run an open dot, their mean a full one with its interval. `at` places a value,
  // `cap` is half of an interval's end.
  function marks({ low, high, mean, values }, at, cap) {
    const parts = [];
    if (low !== null) {
      for (const [a, b] of [at(low), at(high)]) {
        parts.push(line(a - cap[0], b - cap[1], a + cap[0], b + cap[1], "interval"));
      }
      parts.push(line(...at(low), ...at(high), "interval"));
    }
    for (const [value, r, name] of [...values.map((v) => [v, 3.5, "run"]), [mean, 5, "dot"]]) {
      const [cx, cy] = at(value);
      parts.push(element("circle", { cx, cy, r, class: name }));
    }
    return parts;
  }

  function rows(panel, box, domain, { isNarrow, isFull }) {
    const { percent } = panel;
    const x = scale(domain.y, [box.left, box.right], { percent, count: isNarrow ? 4 : 6 });
    const step = (box.bottom - box.top) / panel.series.length;
    const points = panel.series.map((series, k) => {
      const height = box.top + (k + 0.5) * step;
      const label = text(box.left - 12, height + 4, signature(series, isFull), "label at-end");
      return group(series.slot, label, ...marks(series, (v) => [x.place(v), height], [0, 5]));
    });
    return { parts: [...frame(box, panel.title, x, null, ""), ...points] };
  }

  function scatter(panel, box, domain, { log, isNarrow, xTitle }) {
    const x = scale(domain.x, [box.left, box.right], { log, count: isNarrow ? 4 : 7 });
    const y = scale(domain.y, [box.bottom, box.top], panel);
    const ends = panel.series.map((series) => ({
      series, across: x.place(series.at), height: y.place(series.mean),
    }));
    const points = withLetters(ends).map(({ series, across, at }) => group(series.slot,
      ...marks(series, (value) => [across, y.place(value)], [5, 0]),
      text(across + 9, at + 4, LETTERS[series.slot], "label")));
    return { parts: [...frame(box, panel.title, x, y, xTitle), ...points] };
  }

  const KINDS = { curves, rows, scatter };

  /** Which letter is whom, for a chart that leaves the page. */
  function key(series, width, top) {
    const columns = width > TWO_COLUMNS ? 3 : 1;
    const parts = series.map((one, k) => {
      const x = (k % columns) * (width / columns) + 2;
      const y = top + Math.floor(k / columns) * KEY_ROW;
      const stroke = element("path", { d: `M${x} ${y}h26`, class: "line" });
      return group(one.slot, stroke, text(x + 36, y + 4, signature(one, true), "label"));
    });
    return { parts, height: Math.ceil(series.length / columns) * KEY_ROW };
  }

  // What the vertical scale, or that of a row, has to hold.
  function valuesOf({ mean, low, high, runs, values }, { kind, each }) {
    if (kind !== "curves") return [mean, ...values, ...(low === null ? [] : [low, high])];
    if (each) return runs.flatMap(({ y }) => y);
    return low ? [...low, ...high] : mean;
  }

  function horizontal(panels, { kind, whole, log, each }) {
    if (kind === "rows") return null;
    const placesOf = ({ x, runs, at }) =>
      kind === "scatter" ? [at] : [...x, ...(each ? runs.flatMap((run) => run.x) : [])];
    const all = panels.flatMap(({ series }) => series.flatMap(placesOf));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const isScatter = kind === "scatter";
    if (log) return isScatter ? [low / 1.6, high * 1.6] : [low, high];
    if (isScatter || !whole) return [0, isScatter ? high * 1.08 : high];
    return [low, Math.max(high, low + 1)];
  }

  // Names stand in the margin where a plot of some width is left; only those of lines
  // that reach the margin need room there.
  function layout(panels, { kind, width }, x) {
    const { series } = panels[0];
    const columns = panels.length > 1 && width >= TWO_COLUMNS ? 2 : 1;
    const panelWidth = (width - GUTTER * (columns - 1)) / columns;
    const named = series.filter((one) => kind !== "curves" || one.x.at(-1) > 0.97 * x[1]);
    const longest = Math.max(0, ...named.map(({ name }) => name.length));
    const fullWidth = longest * LABEL.character + LABEL.letter;
    const isFull = kind !== "scatter" && panelWidth - fullWidth - MARGIN.left >= NARROWEST;
    const plotHeight = columns === 2 ? 210 : clamp(panelWidth * 0.52, 200, 360);
    return {
      columns, panelWidth, isFull,
      labels: isFull ? fullWidth : LABEL.letter,
      plotHeight: kind === "rows" ? series.length * 30 + 10 : plotHeight,
    };
  }

  /**
   * A chart of one or more panels, all of the same experiments.
   *
   * `panels`: {title, percent, unit, series}; those of one unit share a scale. A series
   * is {slot, name} with what `curves` or `finals` of explorerView give.
   * `settings`: {kind: "curves" | "rows" | "scatter", width, xTitle, log, whole, each,
   * key}. Returns {svg, cursor(value or null), valueAt(clientX, clientY)}.
   */
  function draw(panels, settings) {
    const { kind, width } = settings;
    const x = horizontal(panels, settings);
    const { columns, panelWidth, isFull, labels, plotHeight } = layout(panels, settings, x);
    const height = MARGIN.top + plotHeight + MARGIN.bottom + 10;
    const margin = {
      left: kind === "rows" ? labels : MARGIN.left,
      right: kind === "curves" ? labels : MARGIN.right,
    };
    const svg = element("svg", { class: "chart", role: "img" });
    const frames = panels.map((panel, k) => {
      const start = (k % columns) * (panelWidth + GUTTER);
      const top = Math.floor(k / columns) * height + MARGIN.top;
      const box = {
        left: start + margin.left, right: start + panelWidth - margin.right,
        top, bottom: top + plotHeight,
      };
      const alike = panels.filter(({ unit }) => unit === panel.unit);
      const values = alike.flatMap(({ series }) => series.flatMap((s) => valuesOf(s, settings)));
      const y = extent(values, [0, panel.percent ? 1 : Infinity]);
      const more = { ...settings, isFull, isNarrow: panelWidth < 480 };
      const drawn = KINDS[kind](panel, box, { x, y }, more);
      svg.append(...drawn.parts);
      return { box, ...drawn };
    });
    let total = Math.ceil(panels.length / columns) * height - 10;
    if (settings.key) {
      const { parts, height: more } = key(panels[0].series, width, total + 14);
      svg.append(...parts);
      total += more + 14;
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${total}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", total);
    return { svg, ...pointer(svg, frames.filter(({ cursor }) => cursor)) };
  }

  function pointer(svg, frames) {
    function place({ cursor, x, box }, value) {
      const across = value === null ? 0 : x.place(value);
      const isShown = value !== null && across <= box.right + 1;
      cursor.setAttribute("visibility", isShown ? "visible" : "hidden");
      cursor.setAttribute("x1", fixed(across));
      cursor.setAttribute("x2", fixed(across));
    }
    return {
      cursor: (value) => { for (const one of frames) place(one, value); },
      valueAt(clientX, clientY) {
        const at = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
        const here = frames.find(({ box }) => at.y >= box.top && at.y <= box.bottom
          && at.x >= box.left - 6 && at.x <= box.right + 12);
        return here ? here.x.value(clamp(at.x, here.box.left, here.box.right)) : null;
      },
    };
  }

  /** A piece of a slot's line, for a legend. */
  function sample() {
    const svg = element("svg", { viewBox: "0 0 30 4", width: 30, height: 4 });
    svg.setAttribute("aria-hidden", "true");
    svg.append(element("path", { d: "M0 2h30", class: "line" }));
    return svg;
  }

  const STYLES = {
    shape: ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray",
      "stroke-linejoin"],
    text: ["fill", "stroke", "stroke-width", "font-family", "font-size", "font-weight",
      "text-anchor"],
  };

  /** A chart as the text of a file: what the style sheet says of it is written into it. */
  function standalone(svg, paper) {
    const copy = svg.cloneNode(true);
    const [originals, copies] = [svg, copy].map((one) => [...one.querySelectorAll("*")]);
    originals.forEach((original, k) => {
      const { localName } = original;
      copies[k].removeAttribute("class");
      if (localName === "g") return;
      const computed = getComputedStyle(original);
      for (const name of STYLES[localName === "text" ? "text" : "shape"]) {
        copies[k].setAttribute(name, computed.getPropertyValue(name));
      }
    });
    for (const hidden of copy.querySelectorAll("[visibility=hidden]")) hidden.remove();
    const [width, height] = ["width", "height"].map((side) => Number(svg.getAttribute(side)));
    const [x, y] = [-BORDER, -BORDER];
    const whole = { x, y, width: width + 2 * BORDER, height: height + 2 * BORDER };
    copy.setAttribute("viewBox", Object.values(whole).join(" "));
    copy.setAttribute("width", whole.width);
    copy.setAttribute("height", whole.height);
    copy.prepend(element("rect", { ...whole, fill: paper }));
    return new XMLSerializer().serializeToString(copy);
  }

  return { draw, sample, standalone };
})();
