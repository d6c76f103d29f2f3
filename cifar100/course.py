"""What the notebooks call: profiles, runs, figures with caption and alt text."""

import base64
import html
import inspect
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from matplotlib.figure import Figure

from cifar100 import data, evidence, paths, plots, recording, records
from cifar100.errors import DataMissing, WorkError
from cifar100.experiments import EXPERIMENTS, child, get
from cifar100.files import write_atomically, write_json
from cifar100.listing import differences
from cifar100.records import Record
from cifar100.training import environment
from cifar100.training.profiles import check_profile
from cifar100.training.run import Run

_profile = "quick"  # of this notebook, set by `begin`


def begin(profile: str, *, engine: bool = True) -> Markdown:
    """Check PROFILE, set the style of the figures, and say what this page stands on.

    A notebook that trains in no profile says `engine=False`: the engine takes seconds
    to load. Raises `UserError`, with the nearest valid name, for a mistyped profile.
    """
    global _profile
    _profile = check_profile(profile)
    plots.use_style()
    if engine and profile != "read":
        # Loads the engine here, with its start-up chatter held back.
        import cifar100.models  # noqa: F401
    return Markdown(_banner(profile, trains=engine and profile != "read"))


def _banner(profile: str, *, trains: bool) -> str:
    found = records.list_records()
    devices = ", ".join(sorted({r.data["device"]["name"] for r in found})) or "none yet"
    evidence = f"{len(found)} recorded runs, made on: {devices}"
    machine = f"{environment.processor()['name']}, {environment.cores()} cores"
    if not trains:
        nothing = f"nothing is trained on this page. The course has {evidence}."
        return f"> **Profile `{profile}`:** {nothing}"
    text = {
        "smoke": f"a few hundred images, to test that it runs, on {machine}. "
        "Its numbers mean nothing.",
        "quick": f"the live cells train for under a minute each on {machine}. "
        f"The evidence is {evidence}.",
        "full": f"all that is missing is trained in full on {machine}. "
        f"So far there are {evidence}.",
    }[profile]
    return f"> **Profile `{profile}`:** {text}"


def run_or_load(name: str, profile: str) -> list[Record | Run]:
    """The runs of an experiment: recorded ones in `read`, a live one in `quick` and
    `smoke`, and in `full` all seeds, trained and stored where they are missing.

    A notebook in `full` is meant to run alone, so seconds count where they should.
    Raises `WorkError` when `read` finds no record.
    """
    experiment = get(name)
    if profile in ("quick", "smoke"):
        from cifar100.training.loop import train

        return train(experiment, [0], profile=profile, on_epoch=_say_epoch)
    if profile == "full" and (missing := records.missing(experiment)):
        recording.train_and_store(name, missing, exclusive=experiment.timed)
    found = records.list_records(name)
    if not found:
        raise WorkError(
            f"no record of {name}; `cifar100 record --only {name}` makes them"
        )
    return found


def try_out(
    parent: str, live: list[Record | Run], profile: str, **change: Any
) -> pd.DataFrame | Markdown:
    """A reader's own idea: `parent` with one setting changed, as `child` takes it,
    trained with seed 0 and shown beside the `live` runs, the last epoch of each.
    Nothing is stored. `read` and `full`, which stand on recorded runs, only say what
    would be trained.

    Raises `UserError` when it is not one setting, or no run could have it.
    """
    mine = child(get(parent), "yours", **change)
    settings = ", ".join(
        f"{k} = {v}" for k, v in differences(mine, get(parent)).items()
    )
    if profile not in ("quick", "smoke"):
        return Markdown(
            f"> **Yours:** `{parent}` with {settings}. Profile `{profile}` stands on "
            "recorded runs; in `quick` this cell trains it."
        )
    from cifar100.training.loop import train

    runs = [*live, *train(mine, [0], profile=profile, on_epoch=_say_epoch)]
    last = records.epochs_table(runs).groupby("experiment", sort=False).last()
    last = last[["train_top1", "val_top1", "seconds"]].round(3)
    return last.rename({mine.name: f"{mine.name}: {settings}"})


def evidence_of(*names: str) -> list[Record]:
    """The records of some experiments. In `full` what is missing is trained first; in
    any other profile `WorkError` if one has none."""
    profile = "full" if _profile == "full" else "read"
    return [record for name in names for record in run_or_load(name, profile)]


def _say_epoch(experiment, seed, row) -> None:
    print(
        f"epoch {row['epoch']}/{row['epochs']}: train loss {row['train_loss']:.3f}, "
        f"val top-1 {row['val_top1']:.3f}, {row['images_per_second']:,.0f} images/s"
    )


def recorded(name: str, compute: Callable[[], Any], profile: str) -> Any:
    """The JSON value of `compute()`: stored in `full`, read back in `read`, live else.

    For demonstrations that are no experiment, such as two training loops side by side.
    Raises `WorkError` when `read` finds none.
    """
    path = paths.demonstration(name)
    if profile == "read":
        if not path.exists():
            raise WorkError(f"no record of '{name}'; run its notebook in profile full")
        return json.loads(path.read_text(encoding="utf-8"))["value"]
    value = json.loads(json.dumps(compute()))
    if profile == "full":
        about = environment.stamp()
        write_json(path, {"demonstration": name, **about, "value": value})
    return value


def val_labels() -> np.ndarray:
    """Class ids of the validation images, (5000,) int64, as `Record.val()` has them.

    Stored once, in `full`, so that a page can count answers without the data set.
    """
    name = "val-labels"
    profile = "read" if paths.demonstration(name).exists() else _profile
    return np.array(recorded(name, lambda: data.load("val").fine.tolist(), profile))


def confusion(runs: list[Record]) -> np.ndarray:
    """How often each class of val (row) was called each class (column), by all of some
    recorded runs together: (100, 100) int64."""
    labels = val_labels()
    return sum(evidence.confusion(run.val()["predictions"], labels) for run in runs)


def show(
    figure: Figure | Callable[[], Figure],
    name: str,
    *,
    caption: str,
    alt: str,
    images: bool = False,
) -> None:
    """Display a figure with a caption (what to see in it) and an alt text (what it
    shows). `images` marks one that shows pictures of the data set.

    In profile `read` it is also written to `figures/`; one that shows the data set's
    pictures goes to `figures/samples/`, which is never tracked. A function is called
    first; when it finds no data set, a note stands in the figure's place.
    """
    try:
        figure = figure() if callable(figure) else figure
    except DataMissing as error:
        display(Markdown(f"> **Not shown here:** {caption} {error}"))
        return
    kind, folder = ("png", "samples") if images else ("svg", ".")
    content = _bytes(figure, kind)
    more = {} if images else _to_take_away(figure)
    if _profile == "read":
        write_atomically(paths.figures() / folder / f"{name}.{kind}", content)
    about = {"cifar100": {"name": name, "caption": caption, "alt": alt}}
    bundle = _bundle(content, kind, caption, alt) | more
    display(bundle, raw=True, metadata=about)


def _bytes(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _to_take_away(figure: Figure) -> dict[str, str]:
    """What the page offers for download beside the SVG: dots, and the figure's data."""
    dots = base64.b64encode(_bytes(figure, "png")).decode()
    table = plots.data_of(figure)
    return {"image/png": dots} | ({"text/csv": table} if table else {})


def _bundle(content: bytes, kind: str, caption: str, alt: str) -> dict[str, str]:
    encoded = base64.b64encode(content).decode()
    mime = "image/svg+xml" if kind == "svg" else "image/png"
    source = f"data:{mime};base64,{encoded}"
    return {
        "text/html": f'<figure class="plot"><img alt="{html.escape(alt)}" '
        f'src="{source}"><figcaption>{html.escape(caption)}</figcaption></figure>',
        mime: content.decode() if kind == "svg" else encoded,
        "text/plain": alt,
    }


def source(thing: Any) -> Markdown:
    """The source of a function or class of the package: what is read is what runs."""
    return Markdown(f"```python\n{inspect.getsource(thing).rstrip()}\n```")


def experiments_of(row: str) -> list[str]:
    """Names of the experiments of one row of the student's story."""
    return [e.name for e in EXPERIMENTS.values() if e.row == row]
