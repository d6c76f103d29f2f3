"""Progress of one run or of many: bars in a terminal, plain lines elsewhere."""

import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cifar100.experiments import Experiment
from cifar100.interrupts import BEFORE_THE_END

QUIET = 60.0  # seconds between lines about many runs
EPOCH = re.compile(r"(\S+ seed \d+): epoch (\d+)/(\d+), (.*), \d+ s left")


class _Bars:
    """`bars` are there inside of a `with` block, in a terminal."""

    def __init__(self, console: Console | None = None):
        self.console = console or Console(stderr=True)
        self.bars: Progress | None = None
        self.tasks: dict[Any, TaskID] = {}

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            # No markup: a log may say [/device:CPU:0].
            columns = TextColumn("{task.description}", markup=False), BarColumn()
            note = TextColumn("{task.fields[note]}", markup=False)
            self.bars = Progress(
                *columns, note, TimeRemainingColumn(), console=self.console
            )
            self.bars.start()
            BEFORE_THE_END.append(self.bars.stop)  # it shows the cursor again
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bars:
            self.bars.stop()
            BEFORE_THE_END.remove(self.bars.stop)

    def _show(self, key: Any, title: str, done: int, of: int | None, note: str) -> None:
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(title, total=of, note=note)
        task = self.tasks[key]
        self.bars.update(task, description=title, completed=done, total=of, note=note)


class EpochProgress(_Bars):
    """Use as `with EpochProgress() as progress: train(…, on_epoch=progress)`."""

    def __call__(self, experiment: Experiment, seed: int, row: dict[str, Any]) -> None:
        """Show one epoch."""
        speed = row["images_per_second"]
        note = f"val top-1 {row['val_top1']:.3f}, {speed:,.0f} images/s"
        title = f"{experiment.name} seed {seed}"
        done, epochs = row["epoch"], row["epochs"]
        if self.bars:
            self._show(seed, title, done, epochs, note)
            return
        left = row["seconds"] * (epochs - done)
        line = f"{title}: epoch {done}/{epochs}, {note}, {left:.0f} s left"
        self.console.print(line, soft_wrap=True, highlight=False, markup=False)


class RunsProgress(_Bars):
    """All runs of a recording in one view, from the lines that `EpochProgress` wrote
    for them: a bar each in a terminal, elsewhere a line a minute, which `say` gets."""

    def __init__(
        self, jobs: int, say: Callable[[str], None], console: Console | None = None
    ):
        super().__init__(console)
        self.jobs, self.say, self.said = jobs, say, time.monotonic()

    def show(self, waiting: int, lines: dict[str, str]) -> None:
        """Show that `waiting` jobs are yet to begin, and the last line of each one that
        has begun, by its name."""
        done = self.jobs - waiting - len(lines)
        if self.bars:
            self._show(None, "all", done, self.jobs, f"{waiting} waiting")
            for name in self.tasks.keys() - lines.keys() - {None}:
                self.bars.remove_task(self.tasks.pop(name))
            for name, line in lines.items():
                title, *state = _parsed(name, line)
                self._show(name, title, *state)
        elif lines and time.monotonic() - self.said >= QUIET:
            self.said = time.monotonic()
            parts = [line or f"{name}: starting" for name, line in lines.items()]
            self.say(f"{done} of {self.jobs} done; {'; '.join(parts)}")


def _parsed(name: str, line: str) -> tuple[str, int, int | None, str]:
    """Title, epochs done, epochs, and a note, from a line; of another line, the end."""
    if found := EPOCH.fullmatch(line):
        return found[1], int(found[2]), int(found[3]), found[4]
    return name, 0, None, line[-60:] or "starting"
