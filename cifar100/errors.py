"""Errors that a person can do something about: one line, no traceback."""

import difflib
from collections.abc import Iterable


class PlainError(Exception):
    """An error whose words say it all: notebooks show them without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"error: {self}"]


class UserError(PlainError):
    """Wrong input. The command line prints it in one line and exits with 2."""


class DataMissing(UserError):
    """The data set is not on this machine."""


class WorkError(PlainError):
    """Something failed during work. The command line prints it and exits with 1."""


def one_line(error: object) -> str:
    """What an error says, in a line without what would steer a terminal.

    Of an `OSError`: what the system says, and of which file.
    """
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        names = [str(name) for name in (error.filename, error.filename2) if name]
        text = ": ".join([error.strerror, *names[:1]])
    printable = (c if c.isprintable() else " " for c in text)
    return " ".join("".join(printable).split())


def suggestion(name: str, valid: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the nearest of `valid`, else an empty string."""
    nearest = difflib.get_close_matches(name, list(valid), n=1)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""
