"""Before an engine is loaded: is it one of ours; and keep the start-up chatter of
TensorFlow's C++ side out of notebooks and terminals."""

import contextlib
import functools
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator

from cifar100.errors import UserError
from cifar100.interrupts import BEFORE_THE_END

ENGINES = ("tensorflow", "jax")


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; show it if the block fails.

    TensorFlow logs while it is imported, before any setting of its log level counts:
    that oneDNN is on, that no GPU driver was found. None of it is an error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    put_right = functools.partial(os.dup2, kept, 2)
    BEFORE_THE_END.append(put_right)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:  # a Ctrl-C is no failure
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            put_right()
            BEFORE_THE_END.remove(put_right)
            os.close(kept)


def check_engine() -> None:
    """Raise `UserError` where KERAS_BACKEND names no engine that can be had here."""
    name = os.environ.get("KERAS_BACKEND", "")
    if name not in ENGINES:
        raise UserError(f"KERAS_BACKEND is '{name}'; one of {', '.join(ENGINES)}")
    if importlib.util.find_spec(name) is None:
        raise UserError(f"KERAS_BACKEND is {name}, which is not installed here")
