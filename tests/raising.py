"""What a call raises, in one line."""

import pytest


def one_line(kind: type[Exception], call, *arguments, **named) -> str:
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)
