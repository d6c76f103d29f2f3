// What the explorer shows: the choices, their place in the page's address, and the
// numbers that follow from them. Nothing here touches the page.
const explorerView = (() => {
  const LETTERS = "ABCDEFGHIJ"; // one for each slot, and so for each style of line
  const MOST = LETTERS.length;
  const FAR_APART = 30;
  const QUANTITIES = {
    val_top1: { name: "val top-1", unit: "top-1" },
    train_top1: { name: "train top-1", unit: "top-1" },
    val_loss: { name: "val loss", unit: "nats" },
    train_loss: { name: "train loss", unit: "nats" },
  };
  const AXES = {
    epoch: { title: "epoch", after: (value) => `after epoch ${value}` },
    petaflop: { title: "training compute, PF", after: (value) => `after ${short(value)} PF` },
    seconds: { title: "training seconds", after: (value) => `after ${short(value)} s` },
  };
  const CHOICES = {
    by: Object.keys(AXES),
    view: ["curves", "final"],
    seeds: ["band", "each"],
  };

  const short = (value) => String(Number(value.toPrecision(3)));
  const isPercent = (quantity) => QUANTITIES[quantity].unit === "top-1";
  const shown = (quantity, value) =>
    isPercent(quantity) ? `${(100 * value).toFixed(1)} %` : value.toFixed(2);

  // the address

  /** The usual view of these experiments: one slot each, "" for an empty one. */
  const usual = (slots) => ({
    slots: [...slots], show: ["val_top1"], by: "epoch", view: "curves", seeds: "band",
  });

  /** The view that a fragment asks for, and the experiments that it names in vain. */
  function fromAddress(fragment, experiments, start) {
    const words = new URLSearchParams(fragment);
    const view = usual(start);
    const wanted = words.get("experiments")?.split(",").slice(0, MOST) ?? view.slots;
    const isKnown = (name) => Object.hasOwn(experiments, name);
    view.slots = wanted.map((name, slot) =>
      isKnown(name) && wanted.indexOf(name) === slot ? name : "");
    const asked = words.get("show")?.split(",") ?? [];
    const show = Object.keys(QUANTITIES).filter((quantity) => asked.includes(quantity));
    if (show.length) view.show = show;
    for (const [key, values] of Object.entries(CHOICES)) {
      if (values.includes(words.get(key))) view[key] = words.get(key);
    }
    return { view, lost: wanted.filter((name) => name && !isKnown(name)) };
  }

  /** The fragment of a view: always its experiments, and what is not as usual. */
  function toAddress(view) {
    const standard = usual([]);
    const parts = [`experiments=${view.slots.join(",").replace(/,+$/, "")}`];
    if (view.show.join() !== standard.show.join()) parts.push(`show=${view.show.join(",")}`);
    for (const key of Object.keys(CHOICES)) {
      if (view[key] !== standard[key]) parts.push(`${key}=${view[key]}`);
    }
    return parts.join("&");
  }

  // numbers

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function deviation(values) {
    const middle = mean(values);
    const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
    return Math.sqrt(squares / (values.length - 1));
  }

  function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** Runs whose seconds count: those alone on their machine, or all where none was. */
  function timed({ runs }) {
    const alone = runs.filter((run) => run.exclusive);
    return alone.length ? alone : runs;
  }

  /** Places on the horizontal axis, one an epoch: of one run, or of all together. */
  function along(by, experiment, epochs, run) {
    const all = Array.from({ length: epochs }, (_, k) => k);
    if (by === "epoch") return all.map((k) => k + 1);
    if (by === "petaflop") return experiment.petaflop.slice(0, epochs);
    if (run) return run.seconds;
    return all.map((k) => median(timed(experiment).map(({ seconds }) => seconds[k])));
  }

  /** Mean and one standard deviation, for as many epochs as every run has. */
  function curves(by, experiment, quantity) {
    const { runs } = experiment;
    const epochs = Math.min(...runs.map((run) => run[quantity].length));
    const columns = Array.from({ length: epochs }, (_, k) => runs.map((run) => run[quantity][k]));
    const means = columns.map(mean);
    const wide = runs.length > 1 ? columns.map(deviation) : null;
    return {
      x: along(by, experiment, epochs),
      mean: means,
      deviation: wide,
      low: wide && means.map((value, k) => value - wide[k]),
      high: wide && means.map((value, k) => value + wide[k]),
      runs: runs.map((run) => ({
        x: along(by, experiment, run[quantity].length, run), y: run[quantity],
      })),
    };
  }

  /** After training, in inference mode: mean, its 95 % interval, each run. */
  function finals(by, experiment, quantity) {
    const [middle, low, high] = experiment.final[quantity];
    const seconds = () => median(timed(experiment).map((run) => run.seconds.at(-1)));
    const at = { epoch: () => null, petaflop: () => experiment.petaflop.at(-1), seconds };
    const values = experiment.runs.map((run) => run.final[quantity]);
    return { at: at[by](), mean: middle, low, high, values };
  }

  /** Tidy rows of what a view shows: a run's epochs, or a run's end. */
  function csv(view, experiments) {
    const rows = [["experiment", "seed", "epoch", "petaflop", "seconds", ...view.show]];
    for (const name of view.slots.filter(Boolean)) {
      const { runs, petaflop } = experiments[name];
      for (const run of runs) {
        const last = run.seconds.length - 1;
        run.seconds.forEach((seconds, k) => {
          const start = [name, run.seed, k + 1, petaflop[k], seconds];
          const final = view.show.map((quantity) => run.final[quantity]);
          const running = view.show.map((quantity) => run[quantity][k]);
          if (view.view === "curves") rows.push([...start, ...running]);
          else if (k === last) rows.push([...start, ...final]);
        });
      }
    }
    return rows.map((row) => `${row.join(",")}\r\n`).join("");
  }

  function title(view, quantity) {
    const { name, unit } = QUANTITIES[quantity];
    const words = unit === "nats" ? `${name}, nats` : name;
    if (quantity.startsWith("val")) return words;
    return `${words}, ${view.view === "final" ? "after training" : "while training"}`;
  }

  /** The chosen experiments with their slots. */
  const chosen = ({ slots }) =>
    slots.map((name, slot) => ({ name, slot })).filter(({ name }) => name);

  /** What explorerChart.draw draws: a panel for each quantity. */
  function panels(view, experiments) {
    const numbers = view.view === "final" ? finals : curves;
    return view.show.map((quantity) => ({
      title: title(view, quantity),
      unit: QUANTITIES[quantity].unit,
      percent: isPercent(quantity),
      series: chosen(view).map(({ name, slot }) => ({
        name, slot, ...numbers(view.by, experiments[name], quantity),
      })),
    }));
  }

  /** How it draws them. Ends far apart make the horizontal axis logarithmic. */
  function settings(view, drawn) {
    const ends = drawn[0].series.map(({ at, x }) => at ?? x?.at(-1)).filter((end) => end > 0);
    const log = view.by !== "epoch" && Math.max(...ends) > FAR_APART * Math.min(...ends);
    const ofFinals = view.by === "epoch" ? "rows" : "scatter";
    return {
      kind: view.view === "final" ? ofFinals : "curves",
      each: view.seeds === "each", whole: view.by === "epoch", log,
      xTitle: AXES[view.by].title + (log ? " (log scale)" : ""),
    };
  }

  /** In words, the last value at or before `place` on the axis, or the final one. */
  function valueAt(view, experiment, quantity, place) {
    if (view.view === "final") return shown(quantity, experiment.final[quantity][0]);
    const { x, mean: means } = curves(view.by, experiment, quantity);
    const passed = x.filter((value) => value <= place * (1 + 1e-9)).length;
    return passed ? shown(quantity, means[passed - 1]) : "not yet";
  }

  /** A chart in words: what it shows, and where its first quantity ends. */
  function describe(view, drawn) {
    const isFinal = view.view === "final";
    const axis = isFinal && view.by === "epoch" ? "side by side" : `against ${AXES[view.by].title}`;
    const ends = drawn[0].series.map(({ name, slot, mean: middle }) => {
      const end = Array.isArray(middle) ? middle.at(-1) : middle;
      return `${LETTERS[slot]}, ${name}: ${shown(view.show[0], end)}`;
    });
    return `${isFinal ? "Final values" : "Learning curves"} ${axis}: `
      + `${drawn.map((panel) => panel.title).join("; ")}. `
      + `At the end, ${drawn[0].title}: ${ends.join("; ")}.`;
  }

  return {
    LETTERS, MOST, QUANTITIES, AXES, usual, fromAddress, toAddress, chosen,
    shown, curves, csv, title, panels, settings, valueAt, describe,
  };
})();
