"""Progress of a run: a bar in a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cifar100.experiments import Experiment


class EpochProgress:
    """Use as `with EpochProgress() as progress: train(…, on_epoch=progress)`."""

    def __init__(self, console: Console | None = None):
        self.console = console or Console(stderr=True)
        self.bar: Progress | None = None
        self.tasks: dict[int, Any] = {}

    def __enter__(self) -> "EpochProgress":
        if self.console.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn()
            note = TextColumn("{task.fields[note]}")
            self.bar = Progress(
                *columns, note, TimeRemainingColumn(), console=self.console
            )
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar:
            self.bar.stop()

    def __call__(self, experiment: Experiment, seed: int, row: dict[str, Any]) -> None:
        """Show one epoch."""
        speed = row["images_per_second"]
        note = f"val top-1 {row['val_top1']:.3f}, {speed:,.0f} images/s"
        title = f"{experiment.name} seed {seed}"
        done, epochs = row["epoch"], row["epochs"]
        if self.bar is None:
            left = row["seconds"] * (epochs - done)
            line = f"{title}: epoch {done}/{epochs}, {note}, {left:.0f} s left"
            self.console.print(line, soft_wrap=True, highlight=False)
            return
        if seed not in self.tasks:
            self.tasks[seed] = self.bar.add_task(title, total=epochs, note="")
        self.bar.update(self.tasks[seed], completed=done, note=note)
