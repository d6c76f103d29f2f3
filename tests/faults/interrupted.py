"""Run a command that gets a Ctrl-C: `interrupted.py MOMENT PROGRAM ARGUMENTS…`.

It comes at the MOMENT-th time that the command opens, imports, lists or removes
something, counted from 0. Without a MOMENT ("-") it is left alone, and the number of
such moments is written to the file `$MOMENTS`.
"""

import os
import signal
import sys
from pathlib import Path

HEARD = {"open", "import", "os.listdir", "os.scandir", "os.remove", "os.rename"}


class Watch:
    """Counts moments; sends this process a SIGINT at one of them."""

    def __init__(self, at: int | None):
        self.at, self.count = at, 0
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple) -> None:
        if event in HEARD:
            self.count += 1
            if self.count - 1 == self.at:
                os.kill(os.getpid(), signal.SIGINT)


def program(name: str):
    """What the program of that name calls."""
    if name == "build_report":
        import build_report

        return lambda: sys.exit(build_report.main())
    if name == "cifar100 with small data":
        import killed_tasks

        killed_tasks.prepared("small data")
    from cifar100.cli import main

    return main


def run(moment: str, name: str, *arguments: str) -> None:
    call = program(name)
    sys.argv = [name, *arguments]
    watch = Watch(None if moment == "-" else int(moment))
    try:
        call()
    finally:
        if watch.at is None:
            Path(os.environ["MOMENTS"]).write_text(str(watch.count))


if __name__ == "__main__":
    run(*sys.argv[1:])
