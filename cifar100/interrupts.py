"""A Ctrl-C ends a command, whatever it comes upon."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

REPORT = sys.unraisablehook  # what others had put there, or Python's own
AGAIN = 0.05  # seconds
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def heed() -> None:
    """Have SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, for certain.

    A job in the background of a script ignores SIGINT unless told otherwise. And where
    one comes while a destructor or a callback of the garbage collector is at work (JAX
    has one), Python only reports the exception and goes on: then it is sent once more.
    """
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
    sys.unraisablehook = _send_again


def heed_no_more() -> None:
    """For a command that was interrupted and is ending: another Ctrl-C, or the one that
    is sent once more, would end it by the signal in place of its exit code."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_at_once(code: int) -> None:
    """End this process with `code`, past Python's own ending.

    A command that was interrupted while its engine was imported now and then ended by
    the signal, after its last word and though signals were ignored by then. Something
    in Python's own ending remembers the interrupt; what it is was not found.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


@contextlib.contextmanager
def held_back() -> Iterator[list[int]]:
    """A block that has to come to its end: a Ctrl-C inside is heard after it.

    Gives the list of the signals that came, which the block may look at to end early.
    Outside of the main thread, which signals never interrupt, it stays empty.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {n: signal.signal(n, lambda n, _: came.append(n)) for n in SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def _send_again(dropped: "sys.UnraisableHookArgs") -> None:
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        REPORT(dropped)
        return
    timer = threading.Timer(AGAIN, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()
