"""A Ctrl-C ends a command, whatever it comes upon."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

REPORT = sys.unraisablehook  # what others had put there, or Python's own
AGAIN = 0.05  # seconds
SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130  # exit code
BEFORE_THE_END: list[Callable[[], object]] = []  # set right what a terminal shows
NATIVE = {"jax", "jaxlib", "keras", "tensorflow"}  # packages at work in C++


def heed(leave: Callable[[], NoReturn] | None = None) -> None:
    """Have SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, for certain.

    A job in the background of a script ignores SIGINT unless told otherwise. And where
    one comes while a destructor or a callback of the garbage collector is at work,
    Python only reports the exception and goes on: then it is sent once more.

    `leave` ends the process. It is called in place of the exception while one of
    `NATIVE` is at work. What comes up in Python code that their C++ has called may get
    lost or abort the process; commands interrupted in an import were seen to do both.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        if leave and _is_native(frame):
            leave()
        raise KeyboardInterrupt

    for number in SIGNALS:
        signal.signal(number, interrupt)
    sys.unraisablehook = _send_again


def stop(last_word: str) -> NoReturn:
    """Say `last_word` and end this process with exit code 130, past Python's ending.

    In that a command that was interrupted while its engine was imported now and then
    ended by the signal, though it ignored signals by then; why was not found. Another
    Ctrl-C, or the one that is sent once more, changes nothing any more.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for put_right in reversed(BEFORE_THE_END):
        put_right()
    with contextlib.suppress(OSError, RuntimeError):  # closed, or about to be written
        sys.stdout.flush()
        print(last_word, file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


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


def _is_native(frame: FrameType | None) -> bool:
    """Whether a library of `NATIVE` is among the callers of a frame."""
    while frame:
        if frame.f_globals.get("__name__", "").partition(".")[0] in NATIVE:
            return True
        frame = frame.f_back
    return False


def _send_again(dropped: "sys.UnraisableHookArgs") -> None:
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        REPORT(dropped)
        return
    timer = threading.Timer(AGAIN, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()
