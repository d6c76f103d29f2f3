"""The command line: thin, each command one function elsewhere."""

import functools
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from cifar100.errors import UserError, WorkError, one_line
from cifar100.interrupts import INTERRUPTED, heed, stop

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="CIFAR-100 step by step: train, record, compare and check experiments.",
)
RESUMED = {"train", "record", "export"}  # these keep checkpoints
GOES_ON = "; the same command goes on from the last checkpoint"
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Name = Annotated[str, typer.Argument(help="Name of an experiment.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads of one operation; all cores.")
]


def main(arguments: list[str] | None = None) -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    goes_on = GOES_ON if RESUMED.intersection(words[:1]) else ""
    leave = functools.partial(stop, f"stopped{goes_on}")
    heed(leave)
    try:
        code = app(arguments, standalone_mode=False, prog_name="cifar100") or 0
        if code == INTERRUPTED:  # typer turns Ctrl-C in a command into a value
            raise KeyboardInterrupt
    except TyperException as error:
        code = _say(error.format_message(), 2)
    except UserError as error:
        code = _say(error, 2)
    except (WorkError, OSError) as error:
        code = _say(error, 1)
    except (KeyboardInterrupt, typer.Abort):
        leave()
    sys.exit(code)


def _say(error: object, code: int) -> int:
    print(f"error: {one_line(error)}", file=sys.stderr)
    return code


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


@app.command()
def data(
    source: Annotated[
        str | None, typer.Option(help="Folder or .tar.gz to take it from.")
    ] = None,
) -> None:
    """Get CIFAR-100, verify it, and prepare it for fast loading.

    Example: cifar100 data --source ~/Downloads/cifar-100-python.tar.gz
    """
    from cifar100.data import prepare

    print(prepare(source))


@app.command()
def experiments(
    tree: Annotated[bool, typer.Option("--tree", help="Parents and children.")] = False,
    as_json: Json = False,
) -> None:
    """List the experiments, each with the one setting that it changes.

    Example: cifar100 experiments --tree
    """
    from cifar100.listing import experiment_rows, experiment_tree

    rows = experiment_rows()
    if as_json:
        _print_json(rows)
        return
    print("\n".join(experiment_tree(rows, indent=tree)))


@app.command()
def train(
    experiment: Name,
    seed: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Decides all that is drawn; repeatable. 0 if none."),
    ] = None,
    profile: Annotated[str, typer.Option(help="smoke, quick or full.")] = "full",
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Change one setting: KEY=VALUE.")
    ] = None,
    threads: Threads = None,
    exclusive: Annotated[
        bool, typer.Option("--exclusive", help="Nothing else runs: times count.")
    ] = False,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", hidden=True)] = False,
    as_json: Json = False,
) -> None:
    """Train one experiment, once for each seed; full runs are stored as records.

    Example: cifar100 train simple_cnn --seed 1

    A run with --set, or in profile smoke or quick, is shown and not stored.
    """
    from cifar100.recording import train_and_store

    first, *more = change or [None]
    if more:
        raise UserError(f"--set changes one setting, got {', '.join(change)}")
    summaries = train_and_store(
        experiment,
        seed or [0],
        profile=profile,
        change=first,
        threads=threads,
        exclusive=exclusive,
        rehearsal=rehearsal,
    )
    if as_json:
        _print_json(summaries if len(summaries) > 1 else summaries[0])
        return
    for summary in summaries:
        print(", ".join(f"{key} {value}" for key, value in summary.items()))


@app.command()
def record(
    budget: Annotated[
        str | None, typer.Option(help="Stop in time: 90s, 30m, 2h, 1h30m.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs side by side; one a core.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this experiment; repeatable.")
    ] = None,
    chosen_set: Annotated[
        str | None,
        typer.Option(
            "--set", help="ladder, strong, timed or gpu; most valuable first."
        ),
    ] = None,
    exclusive: Annotated[
        bool, typer.Option("--exclusive", help="One run at a time on all cores.")
    ] = False,
    pack: Annotated[
        Path | None, typer.Option(help="Keep all records packed: FILE-1.zip and on.")
    ] = None,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Tiny runs, kept apart: no evidence.")
    ] = False,
    unpack: Annotated[
        list[Path] | None,
        typer.Option(help="Merge packed records, do nothing else; repeatable."),
    ] = None,
    ray_address: Annotated[
        str | None, typer.Option(help="Train on this Ray cluster: auto, HOST:6379.")
    ] = None,
) -> None:
    """Record every run that is missing, cheapest first; can be stopped at any time.

    Example: cifar100 record --budget 2h

    On a machine lent for a while: cifar100 record --set ladder --pack out/visit.zip

    Back home: cifar100 record --unpack visit-1.zip --unpack visit-2.zip
    """
    from cifar100 import merging, ray_cluster, scheduling
    from cifar100.experiments import get

    others = budget, workers, only, chosen_set, exclusive, pack, rehearsal, ray_address
    if unpack and any(others):
        raise UserError("--unpack stands alone; it records nothing")
    if unpack:
        merging.unpack_and_say(unpack)
        return
    if only and chosen_set:
        raise UserError("--set and --only exclude each other")
    record_all = scheduling.record
    if ray_address:
        record_all = functools.partial(ray_cluster.record, ray_address)
    failed = record_all(
        workers=workers,
        budget=scheduling.parse_budget(budget),
        only=[get(name).name for name in only or []],
        chosen_set=chosen_set,
        exclusive=exclusive,
        pack=pack,
        rehearsal=rehearsal,
    )
    if failed:
        raise WorkError(f"{failed} runs failed; their logs are in .cache/logs")


@app.command()
def status(as_json: Json = False) -> None:
    """Show what is recorded, what is missing and what that would cost.

    Example: cifar100 status
    """
    from cifar100.listing import status_rows, status_table

    rows = status_rows()
    if as_json:
        _print_json(rows)
        return
    print("\n".join(status_table(rows)))


@app.command()
def compare(child: Name, parent: Name, as_json: Json = False) -> None:
    """Compare two experiments by their paired seeds, on the validation split.

    Example: cifar100 compare simple_cnn_short simple_cnn
    """
    from cifar100 import evidence, listing

    effect = evidence.compare(child, parent)
    if as_json:
        _print_json(effect.as_json())
        return
    print(evidence.verdict(effect).replace("**", ""))
    print(listing.pair_text(child, parent))


@app.command()
def export(
    experiment: Name,
    seed: Annotated[int, typer.Option(min=0, help="Decides all that is drawn.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Not weights/, but here.")] = None,
) -> None:
    """Train one experiment in full and keep its network for `cifar100 predict`.

    Example: cifar100 export simple_cnn
    """
    from cifar100.exporting import export as export_network

    print(f"written: {export_network(experiment, seed=seed, output=output)}")


@app.command()
def predict(
    pictures: Annotated[list[Path], typer.Argument(help="Files with a picture each.")],
    network: Annotated[
        str | None,
        typer.Option(
            help="In weights/, `transfer`, or a .npz; else the best of weights/."
        ),
    ] = None,
    save_view: Annotated[Path | None, typer.Option(help="PNG of what it saw.")] = None,
    as_json: Json = False,
) -> None:
    """Name what pictures show: the five likeliest of the 100 classes of each.

    Example: cifar100 predict tests/pictures/rocket.jpg

    If one picture can't be read, none is predicted. JSON: one object, or a list.
    """
    from cifar100 import predicting

    found = predicting.predict(pictures, network, save_view=save_view)
    if not as_json:
        predicting.print_predictions(found)
        return
    documents = [prediction.as_json() for prediction in found]
    _print_json(documents if len(documents) > 1 else documents[0])


@app.command()
def check(
    fingerprints: Annotated[
        bool, typer.Option(help="Build every network anew (needs the data set).")
    ] = True,
) -> None:
    """Compute each run's final val scores again; exit 1 when one does not hold.

    Example: cifar100 check --no-fingerprints
    """
    from cifar100.checking import check_records
    from cifar100.records import list_records

    problems = check_records(fingerprints=fingerprints)
    if problems:
        print("\n".join(problems))
        raise WorkError(f"{len(problems)} problems in the records")
    print(f"{len(list_records(current_only=False))} records hold")
