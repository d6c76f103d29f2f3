"""Keep the start-up chatter of TensorFlow's C++ side out of notebooks and terminals."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; show it if the block fails.

    TensorFlow logs while it is imported, before any setting of its log level counts:
    that oneDNN is on, that no GPU driver was found. None of it is an error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
