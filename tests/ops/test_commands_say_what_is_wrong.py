"""run.py: exit codes, messages and results of the commands that read the log."""

import asyncio
import json
import os
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import run
from events.catalog import MetricRecorded
from events.event import Metadata
from events.sqlite import SqliteEventStore
from recsys.commands.outcome import Unavailable
from recsys.commands.surroundings import check_port


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory whose log holds five metric points."""

    async def fill() -> None:
        async with await SqliteEventStore.open(tmp_path / "log.db") as store:
            for value in range(5):
                point = MetricRecorded(metric="error_rate", value=float(value), at=1_735_572_600_000_000)
                await store.append("metric-error_rate", [point], metadata=Metadata(actor="test", correlation_id="r1"))

    asyncio.run(fill())
    return tmp_path


def command(capsys: pytest.CaptureFixture[str], data_dir: Path, *words: str) -> tuple[int, str, str]:
    """Return exit code, output and errors."""
    code = run.main([words[0], "--data-dir", str(data_dir), *words[1:]])
    return code, *capsys.readouterr()


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_verify_finds_a_whole_log_whole(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """verify exits with 0 and prints an anchor that a later verify accepts."""
    code, output, _ = command(capsys, data_dir, "verify")
    anchor = re.search(r"--anchor (\S+)", output)
    assert code == 0
    assert output.startswith("5 events")
    assert anchor
    assert command(capsys, data_dir, "verify", "--anchor", anchor[1])[0] == 0


def test_verify_names_the_first_bad_position(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed event makes verify exit with 1 and name its position."""
    with sqlite3.connect(data_dir / "log.db") as log:
        for (name,) in log.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            log.execute(f"DROP TRIGGER {name}")
        log.execute("UPDATE runs SET data = replace(data, '2.0', '9.0') WHERE position = 3")
    log.close()
    code, output, _ = command(capsys, data_dir, "verify", "--json")
    assert code == 1
    assert lines(output)[0]["first_bad_position"] == 3


def test_verify_finds_a_log_that_was_cut_short(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An anchor past the end of the log makes verify exit with 1."""
    code, output, _ = command(capsys, data_dir, "verify", "--anchor", f"6:{'a' * 64}")
    assert code == 1
    assert "tail is missing" in output


def test_export_writes_each_event_once(data_dir: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """export writes one JSON object an event, in order, after the position asked for."""
    assert run.main(["export", "--data-dir", str(data_dir), "--after", "2"]) == 0
    events = lines(capfdbinary.readouterr().out.decode())
    assert [event["position"] for event in events] == [3, 4, 5]
    assert events[0]["data"] == {"metric": "error_rate", "value": 2.0, "at": 1_735_572_600_000_000}


def test_export_speaks_cloudevents(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--format cloudevents gives the attributes that CloudEvents 1.0 requires; extensions are lower-case words."""
    output = tmp_path / "events.ndjson"
    code, _, _ = command(capsys, data_dir, "export", "--format", "cloudevents", "--output", str(output))
    events = lines(output.read_text())
    assert code == 0
    assert len({event["id"] for event in events}) == 5
    assert all(event["specversion"] == "1.0" and event["source"] and event["type"] for event in events)
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for event in events for name in event)


@pytest.mark.parametrize("words", [["verify"], ["export"], ["rebuild"], ["replay", "--to", "1"]])
def test_reading_makes_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """Where there is no log, the commands that read exit with 3, say so, and leave nothing behind."""
    code, _, errors = command(capsys, tmp_path, *words)
    assert code == 3
    assert f"there is no log at {tmp_path}" in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", "--anchor", "5"], "--anchor: found '5', allowed is POSITION:HASH"),
        (["replay", "--to", "yesterday"], "--to is not a time: found 'yesterday'"),
        (["import-recipes", "nowhere.csv"], "nowhere.csv"),
        (["serve", "--port", "x"], "PORT from the command line: found 'x', allowed is a whole number"),
    ],
)
def test_wrong_usage_is_explained(
    data_dir: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """What a command cannot use makes it exit with 2 and say what was found; --json says it as JSON."""
    code, output, errors = command(capsys, data_dir, *words)
    assert (code, output) == (2, "")
    assert message in errors
    code, output, _ = command(capsys, data_dir, *words, "--json")
    assert message in lines(output)[0]["error"]


@pytest.mark.parametrize(
    "words", [["export", "--after=-1"], ["export", "--after", "9" * 20], ["explain", "pollo", "--number", "0"]]
)
def test_numbers_out_of_bounds_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An option that takes a number names what was found and the bounds."""
    with pytest.raises(SystemExit, match="2"):
        run.main(words)
    assert re.search(r"found '\S+', allowed is a whole number from \d to \d+", capsys.readouterr().err)


@pytest.mark.parametrize("words", [["verify"], ["export"], ["rebuild"], ["replay", "--to", "1"]])
def test_a_file_that_is_no_log_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """Where log.db is something else, the commands exit with 3 and say so."""
    (tmp_path / "log.db").write_text("not a database" * 1000)
    code, _, errors = command(capsys, tmp_path, *words)
    assert code == 3
    assert re.search(r"log\.db cannot be .*: file is not a database", errors)


def test_a_port_in_use_on_one_of_a_hosts_addresses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name such as localhost may stand for several addresses: each must be free."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1], taken.getsockname()[1]]
        free.close()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(Unavailable, match="it is in use"):
            check_port("two-addresses", 0)


def test_replay_shows_the_past(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """replay --to a position shows the views as they were; a position past the end is the end."""
    shown = [lines(command(capsys, data_dir, "replay", "--json", "--to", to)[1])[0] for to in ("0", "2", "99")]
    assert [as_of["position"] for as_of in shown] == [0, 2, 5]


def test_rebuild_finds_the_same(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """rebuild exits with 0 when the views built anew are those that were live."""
    code, output, _ = command(capsys, data_dir, "rebuild", "--json")
    assert code == 0
    assert lines(output)[0]["position"] == 5


def test_importing_twice_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second import of a file adds nothing; a row that cannot be read makes the exit code 1, the rest is imported."""
    file = tmp_path / "recipes.csv"
    file.write_text("Nombre,Ingredientes,Pasos\nGazpacho,tomate,Triturar.\n,agua,Hervir.\n")
    first, second = (command(capsys, tmp_path, "import-recipes", str(file), "--json") for _ in range(2))
    assert (first[0], second[0]) == (1, 1)
    assert [lines(output)[0]["added"] for _, output, _ in (first, second)] == [1, 0]
    assert lines(first[1])[0]["skipped"][0]["line"] == 3


def test_a_foreign_package_of_our_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where `import events` leads elsewhere, run.py says so and how to mend it, before anything else."""
    monkeypatch.setattr(run, "ROOT", Path(os.sep) / "elsewhere")
    assert run.main(["verify"]) == 2
    assert "uninstall them" in capsys.readouterr().err
