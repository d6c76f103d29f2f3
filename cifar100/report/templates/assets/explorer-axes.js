// Scales, ticks and the frame around a panel of the explorer's charts. Lengths are pixels.
const explorerAxes = (() => {
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const MARGIN = { top: 30, bottom: 40, left: 46, right: 18 };
  const ROOM = 0.05; // between the data and the frame, a share of the data's extent

  const fixed = (number) => number.toFixed(1);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function element(name, attributes = {}, ...children) {
    const made = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, typeof value === "number" ? fixed(value) : value);
    }
    made.append(...children);
    return made;
  }

  const line = (x1, y1, x2, y2, name) => element("line", { x1, y1, x2, y2, class: name });
  // The outline of a label lies below its letters: it clears the lines behind them.
  const text = (x, y, words, name) =>
    element("text", { x, y, class: name, "paint-order": "stroke" }, words);

  // About `count` multiples of 1, 2 or 5 times a power of ten, whichever is nearest.
  function linearTicks(low, high, count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const steps = [[1, 2], [2, 10], [5, 50], [10, Infinity]]; // up to the root of the second
    const step = power * steps.find(([, square]) => (rough / power) ** 2 < square)[0];
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
  }

  // Powers of ten, with 2 and 5 times these while there are not too many.
  function logTicks(low, high, count) {
    const powers = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      powers.push(10 ** power);
    }
    const isInside = (tick) => tick > low * 0.999 && tick < high * 1.001;
    const fine = powers.flatMap((power) => [power, 2 * power, 5 * power]).filter(isInside);
    const coarse = powers.filter(isInside);
    return fine.length > count && coarse.length > 1 ? coarse : fine;
  }

  /** Values of `domain` at the pixels of `range`: place, value (its inverse), ticks, labels. */
  function scale(domain, range, { log = false, whole = false, percent = false, count = 5 } = {}) {
    const [from, to] = range;
    const bend = log ? Math.log : (value) => value;
    const unbend = log ? Math.exp : (value) => value;
    const [first, last] = domain.map(bend);
    const ticks = (log ? logTicks : linearTicks)(...domain, count)
      .filter((tick) => !whole || Number.isInteger(tick));
    const digits = ticks[1] - ticks[0] < 0.0099 ? 1 : 0;
    return {
      place: (value) => from + ((bend(value) - first) / (last - first)) * (to - from),
      value: (pixel) => unbend(first + ((pixel - from) / (to - from)) * (last - first)),
      ticks,
      labels: ticks.map((tick) =>
        percent ? `${(100 * tick).toFixed(digits)} %` : String(Number(tick.toPrecision(6)))),
    };
  }

  /** The extent of `values` with a little room, but not beyond `limits`. */
  function extent(values, limits) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = (high - low || Math.abs(high) || 1) * ROOM;
    return [Math.max(low - room, limits[0]), Math.min(high + room, limits[1])];
  }

  /**
   * Places as near as can be to the `wanted` ones with `gap` between neighbours, within
   * [low, high] as far as they fit. Neighbours that meet are moved as one pile, by the
   * mean of what they want (pool adjacent violators).
   */
  function spread(wanted, gap, low, high) {
    const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b]);
    const mean = (pile) => pile.sum / pile.members.length;
    const piles = [];
    order.forEach((index, rank) => {
      piles.push({ members: [index], sum: wanted[index] - rank * gap, rank });
      while (piles.length > 1 && mean(piles.at(-2)) > mean(piles.at(-1))) {
        const { members, sum } = piles.pop();
        piles.at(-1).members.push(...members);
        piles.at(-1).sum += sum;
      }
    });
    const room = Math.max(high - low - gap * (wanted.length - 1), 0);
    const placed = [];
    for (const pile of piles) {
      const start = clamp(mean(pile), low, low + room);
      pile.members.forEach((index, k) => { placed[index] = start + (pile.rank + k) * gap; });
    }
    return placed;
  }

  /** Grid, ticks and titles around a panel. Without a vertical scale the grid stands. */
  function frame({ left, right, top, bottom }, title, x, y, xTitle) {
    const parts = [text(y ? left - MARGIN.left + 2 : left, top - 14, title, "title")];
    y?.ticks.forEach((tick, index) => {
      const height = y.place(tick);
      parts.push(line(left, height, right, height, "grid"));
      parts.push(text(left - 8, height + 4, y.labels[index], "tick at-end"));
    });
    x.ticks.forEach((tick, index) => {
      const across = x.place(tick);
      parts.push(line(across, y ? bottom : top, across, bottom + 4, y ? "axis" : "grid"));
      parts.push(text(across, bottom + 18, x.labels[index], "tick at-middle"));
    });
    parts.push(line(left, bottom, right, bottom, "axis"));
    if (xTitle) parts.push(text(right, bottom + 34, xTitle, "tick at-end"));
    return parts;
  }

  return { MARGIN, fixed, clamp, element, line, text, scale, extent, spread, frame };
})();
