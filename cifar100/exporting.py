"""From an experiment to weights that people can use: `cifar100 export`."""

from collections.abc import Callable
from pathlib import Path

from cifar100 import records, weights
from cifar100.errors import UserError
from cifar100.experiments import Experiment, get
from cifar100.files import check_writable
from cifar100.progress import EpochProgress
from cifar100.recording import claimed
from cifar100.training.run import Run

OF_RUN = ("weights_sha256", "device", "seconds", "engine", "val_scored")


def export(
    name: str,
    *,
    seed: int = 0,
    profile: str = "full",
    output: Path | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train an experiment and store its network; the path of the .npz.

    A run that was stopped goes on. `say` is told beforehand how long a recorded run
    took. Other profiles than full go to a folder `output` only. Raises `UserError` for
    wrong input and `WorkError` when there is no room for the weights, both before the
    training; then whatever `training.train` and `weights.save` raise.
    """
    experiment = get(name)
    if output is not None and Path(output).exists() and not Path(output).is_dir():
        raise UserError(f"--output {output}: not a folder")
    place = Path(output) if output else weights.folder()
    check_writable(place / f"{name}.npz")
    weights.check_room(experiment, output)
    say(beforehand(experiment, seed))
    from cifar100.training.loop import train

    written = []

    def keep(run: Run) -> None:  # before the checkpoint goes
        said = run.metrics | {key: run.facts[key] for key in OF_RUN}
        given = {"seed": seed, "profile": profile, "run": said, "output": output}
        written.append(weights.save(experiment, run.weights, **given))

    with claimed(experiment, seed, profile), EpochProgress() as progress:
        options = {"profile": profile, "on_epoch": progress, "on_run": keep}
        train(experiment, [seed], **options)
    return written[0]


def beforehand(experiment: Experiment, seed: int) -> str:
    """How long the training will take, in a line, as far as records tell."""
    line = f"{experiment.name}, seed {seed}: trains now"
    found = records.list_records(experiment.name)
    if not found:
        return f"{line}; no record tells how long that takes"
    record = min(found, key=lambda each: abs(each.seed - seed))
    seconds = record.data["seconds"]
    minutes = (seconds["train"] + seconds["evaluation"]) / 60
    device = record.data["device"]["name"]
    return (
        f"{line}; the recorded run with seed {record.seed} took {minutes:.0f} minutes "
        f"on {device}"
    )
