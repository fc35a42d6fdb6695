"""A full or failing disk refuses appends, keeps serving reads, and leaves a log that goes on when it is well again."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from events import chain
from events.errors import StoreFull, StoreUnavailable
from events.event import NO_STREAM, Appended, StreamAppend
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point, pragma, writing_connection

LARGE = point(note="x" * 100_000)


def limit_pages(store: SqliteEventStore, *, more: int | None) -> None:
    """Let the file grow by `more` pages, or without limit."""
    connection = writing_connection(store)
    pragma(connection, f"max_page_count = {2**32 - 2 if more is None else pragma(connection, 'page_count') + more}")


@pytest.mark.parametrize("through_another", [False, True])
async def test_a_full_disk_refuses_appends_and_serves_reads(
    store: SqliteEventStore, other: SqliteEventStore, through_another: bool
) -> None:
    """StoreFull while there is no space; reads go on; appends resume, without a gap, when there is."""
    appending = other if through_another else store
    await appending.append("metric-m", [point()], metadata=ACTOR, key="before")
    limit_pages(store, more=4)
    for _ in range(3):
        with pytest.raises(StoreFull) as caught:
            await appending.append("metric-m", [LARGE], metadata=ACTOR, key="k")
        assert caught.value.retryable
    assert [event.position for event in await appending.read_all()] == [1]
    limit_pages(store, more=None)
    assert (await appending.append("metric-m", [LARGE], metadata=ACTOR, key="k")).position == 2
    assert chain.verify(store.path).events == 2


async def test_a_commit_that_does_not_fit_is_refused_as_a_whole(store: SqliteEventStore) -> None:
    """Of appends that share the commit that fills the disk none is written; the answers say which."""
    limit_pages(store, more=8)
    appends = [StreamAppend(f"metric-{n}", [point(n)], NO_STREAM) for n in range(9)]
    appends.append(StreamAppend("metric-m", [LARGE]))
    asked = [store.append_all(appends, metadata=ACTOR)]
    asked += [store.append_all([append], metadata=ACTOR) for append in appends]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    written = [answer.position for answer in answers if isinstance(answer, Appended)]
    assert {type(answer) for answer in answers} <= {Appended, StoreFull}
    assert isinstance(answers[0], StoreFull)
    assert [event.position for event in await store.read_all()] == written == list(range(1, len(written) + 1))


async def test_what_was_acknowledged_before_the_disk_was_full_stays(store: SqliteEventStore) -> None:
    """Appends until the disk is full, and after it: what was acknowledged is what is there."""
    limit_pages(store, more=60)
    answers = [await attempt(store, n) for n in range(60)]
    limit_pages(store, more=None)
    answers += [await attempt(store, n) for n in range(60, 65)]
    written = [answer.position for answer in answers if answer is not None]
    assert None in answers
    assert answers[-1] is not None
    assert written == [event.position for event in await store.read_all()] == list(range(1, len(written) + 1))
    assert chain.verify(store.path).events == len(written)


async def attempt(store: SqliteEventStore, number: int) -> Appended | None:
    try:
        return await store.append("metric-m", [point(number, note="x" * 5000)], metadata=ACTOR)
    except StoreFull:
        return None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_real_full_disk_is_survived(small_disk: Path) -> None:
    """On a disk that is truly full: StoreFull, reads go on, and with space again so do appends."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1024 * 1024)
    async with await SqliteEventStore.open(small_disk / "log.db") as store:
        acknowledged, refused = 0, 0
        while refused < 3:
            try:
                await store.append("metric-m", [LARGE], metadata=ACTOR)
                acknowledged += 1
            except StoreFull:
                refused += 1
        assert len(await store.read_all()) == acknowledged > 0
        ballast.unlink()
        assert (await store.append("metric-m", [LARGE], metadata=ACTOR)).position == acknowledged + 1
        assert chain.verify(store.path).events == acknowledged + 1


class Failing:
    """A connection whose next COMMIT fails with an I/O error, before or after it reached the disk."""

    def __init__(self, connection: apsw.Connection, *, after_commit: bool) -> None:
        self._connection = connection
        self._after_commit = after_commit
        self._has_failed = False

    def execute(self, sql: str, *arguments: Any) -> Any:
        if sql != "COMMIT" or self._has_failed:
            return self._connection.execute(sql, *arguments)
        self._has_failed = True
        if self._after_commit:
            self._connection.execute(sql)
        raise apsw.IOError("disk I/O error")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("after_commit", [False, True])
async def test_after_an_io_error_the_head_is_the_files(store: SqliteEventStore, after_commit: bool) -> None:
    """Whether or not the failed commit took place, the next append follows what is on disk, and a retry is safe."""
    await store.append("metric-m", [point()], metadata=ACTOR)
    assert store._commits is not None
    writer: Any = store._commits._writer
    writer._connection = Failing(writer._connection, after_commit=after_commit)
    with pytest.raises(StoreUnavailable) as caught:
        await store.append("metric-m", [point()], metadata=ACTOR, key="k", expected_version=1)
    assert caught.value.retryable
    again = await store.append("metric-m", [point()], metadata=ACTOR, key="k", expected_version=1)
    assert (again.position, again.is_repeat) == (2, after_commit)
    assert (await store.append("metric-m", [point()], metadata=ACTOR, expected_version=2)).position == 3
    assert chain.verify(store.path).events == await store.head() == 3
