"""What the property tests share: how many examples, and seeds of any size."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = st.integers(0, 2**32 - 1)
