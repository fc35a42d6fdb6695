"""What holds for every test: none may hang."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

TEST_SECONDS_MAX = 60


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """End a test that waits for ever, with a traceback of where it waits."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"the test did not end within {TEST_SECONDS_MAX} s")

    former = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TEST_SECONDS_MAX)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)
