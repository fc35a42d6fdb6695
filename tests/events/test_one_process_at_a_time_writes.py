"""However many processes share a log, one connection writes it: the others append through its socket and only read."""

import asyncio
import json
from pathlib import Path

import apsw
import pytest

from events import chain
from events.errors import WrongExpectedVersion
from events.event import NO_STREAM, Appended
from events.sqlite import SqliteEventStore
from tests.crash.harness import Child, started
from tests.events.harness import ACTOR, point, traced

FIXED_IN = (3, 51, 3)  # sqlite.org/wal.html: before it, the WAL-reset bug may lose commits of several connections


def test_the_linked_sqlite_is_without_the_wal_reset_bug() -> None:
    """The library that opens the log has the fix."""
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= FIXED_IN


async def test_only_one_connection_writes(path: Path) -> None:
    """Of all connections that three stores ever open, one at a time may write, and one store says it has it."""
    with traced() as statements:
        stores = [await SqliteEventStore.open(path) for _ in range(3)]
        for store in list(stores):
            for each in stores:
                await each.append("metric-m", [point()], metadata=ACTOR)
                await each.read_all()
                assert len(statements.open_connections(readonly=False)) == 1
                assert [other.is_writer for other in stores].count(True) == 1
            stores.remove(store)
            await store.close()


async def test_readers_neither_write_nor_checkpoint(path: Path) -> None:
    """A reader's connection is read-only, refuses writes, and checkpoints neither by itself nor when it closes."""
    with traced() as statements:
        async with await SqliteEventStore.open(path) as store:
            await store.append("metric-m", [point()], metadata=ACTOR)
            await store.read_all()
            readers = statements.open_connections(readonly=True)
            assert readers
            for reader in readers:
                assert reader.execute("PRAGMA query_only; PRAGMA wal_autocheckpoint").fetchall() == [(1,), (0,)]
                assert reader.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1) == 1
                with pytest.raises(apsw.ReadOnlyError):
                    reader.execute("DELETE FROM runs")


async def test_the_second_process_is_told_who_writes(path: Path) -> None:
    """A store that does not write says so, and names the process that does."""
    async with started("-m", "tests.events.appender", str(path)) as child:
        assert await child.reports(1) == ["writer"]
        async with await SqliteEventStore.open(path) as store:
            assert (store.is_writer, await store.writer_pid()) == (False, child.pid)
            assert json.loads(path.with_suffix(".lock").read_text()) == {"pid": child.pid}


async def test_several_processes_append_to_one_log(path: Path) -> None:
    """Appends of this process, of the writer and of a third interleave; each is there once, in the order given."""
    command = ("-m", "tests.events.appender", str(path))
    async with started(*command) as writer, started(*command) as third:
        await writer.reports(1)
        await third.reports(1)
        async with await SqliteEventStore.open(path) as store:
            for n in range(20):
                await writer.send(f"writer-{n}")
                await third.send(f"third-{n}")
            own = [(await store.append("metric-m", [point()], metadata=ACTOR)).position for _ in range(20)]
            positions = own + [int(line) for child in (writer, third) for line in (await child.reports(21))[1:]]
            assert sorted(positions) == [event.position for event in await store.read_all()] == list(range(1, 61))


async def appended_by(child: Child, store: SqliteEventStore) -> bool:
    """Let the child append, and return whether the event that a subscriber of `store` then gets is the child's."""
    batches = store.subscribe(await store.head())
    following = asyncio.ensure_future(anext(batches))
    await child.send("key")
    [event] = await following
    return (await child.reports(2))[1] == str(event.position)


@pytest.mark.usefixtures("no_polling")
async def test_the_writers_append_wakes_the_others(path: Path) -> None:
    """What the writing process appends is seen by a subscriber of another, without polling."""
    async with started("-m", "tests.events.appender", str(path)) as child:
        assert await child.reports(1) == ["writer"]
        async with await SqliteEventStore.open(path) as store:
            assert await appended_by(child, store)


@pytest.mark.usefixtures("no_polling")
async def test_the_others_append_wakes_the_writer(store: SqliteEventStore) -> None:
    """What another process appends is seen by a subscriber of the writing one, without polling."""
    async with started("-m", "tests.events.appender", str(store.path)) as child:
        assert await child.reports(1) == ["other"]
        assert await appended_by(child, store)


async def test_of_racing_processes_one_wins(store: SqliteEventStore, other: SqliteEventStore) -> None:
    """Expected versions hold across processes."""
    racers = [
        each.append("metric-m", [point()], metadata=ACTOR, expected_version=NO_STREAM)
        for each in (store, other, other, store)
    ]
    answers = await asyncio.gather(*racers, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Appended"] + ["WrongExpectedVersion"] * 3
    assert all(isinstance(answer, Appended | WrongExpectedVersion) for answer in answers)


@pytest.mark.parametrize("name", ["x" * 120, "d a%20t#a?", "datos-ñ-日本"])
async def test_the_folders_name_does_not_matter(tmp_path: Path, name: str) -> None:
    """Folders longer than a socket's address may be, and ones with signs that URIs reserve, work in both roles."""
    path = tmp_path / name / name / "log.db"
    async with await SqliteEventStore.open(path) as store, await SqliteEventStore.open(path) as other:
        await store.append("metric-m", [point()], metadata=ACTOR)
        assert (await other.append("metric-m", [point()], metadata=ACTOR)).position == 2
        assert len(await other.read_all()) == 2
    assert chain.verify(path).events == 2


async def test_only_the_owner_may_append(store: SqliteEventStore) -> None:
    """Other users of the machine cannot reach the socket."""
    assert store.path.with_suffix(".sock").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", b"\0\0\0\4junk", b"\0\0\0\1\x90" * 3, b"\0\0\0\2\x91\xc0"])
async def test_nonsense_on_the_socket_harms_no_one(
    store: SqliteEventStore, other: SqliteEventStore, sent: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends no frames of ours is dropped; the writer and its other clients go on."""
    monkeypatch.chdir(tmp_path)  # a name that is short enough for a socket
    reader, writer = await asyncio.open_unix_connection("log.sock")
    writer.write(sent)
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    assert (await other.append("metric-m", [point()], metadata=ACTOR)).position == 1
    assert (await store.append("metric-m", [point()], metadata=ACTOR)).position == 2
