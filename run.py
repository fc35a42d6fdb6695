"""The command line: what may be asked, and who answers. Floor 4.

Only the standard library is imported here, so that --help answers at once.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
POSITION_MAX = 2**63 - 1  # SQLite's largest integer
PACKAGES = ("events", "projections", "recsys", "migrations")

DESCRIPTION = "The recipe recommender: its service and the care of its event log."
EPILOG = """\
exit codes:
  0  done
  1  something is wrong, and the output says what: the log was changed, rows were skipped, views differed
  2  the command or a setting is wrong
  3  unavailable: the port or the disk cannot be had, or there is no log yet

Settings come from the command line, the environment and .env, in that order; .env.example lists them.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument(
        "--data-dir", metavar="DIR", help="where log.db and views.db are (DATA_DIR, default ./data)"
    )
    everywhere.add_argument("--json", action="store_true", help="print the result as one JSON object")
    whole = argparse.ArgumentParser(
        "run.py", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = whole.add_subparsers(metavar="command", required=True)

    def command(name: str, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words, parents=[everywhere])
        added.set_defaults(command=name)
        return added

    add_serve_options(command("serve", "run the service"))
    add_import_recipes_options(
        command("import-recipes", "read a file of recipes into the catalogue; what is there already is skipped")
    )
    add_import_feedback_options(
        command("import-feedback", "read a CSV of ratings and other feedback; what was imported before is skipped")
    )
    add_verify_options(command("verify", "walk the log's hash chain and name the first bad position"))
    add_replay_options(command("replay", "print the registry, the jobs and the metrics as they were"))
    add_export_options(command("export", "write the events, one JSON object a line"))
    add_explain_options(command("explain", "show how a request is understood, and why its recipes come first"))
    add_evaluate_search_options(
        command("evaluate-search", "measure the search on judged requests, alone or against another way")
    )
    command("rebuild", "build the views anew from the log, compare them with the live ones and swap")
    return whole


def add_serve_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", help="the address to listen on (HOST, default 127.0.0.1: this machine only)")
    command.add_argument("--port", help="the port to listen on (PORT, default 8000)")


def add_import_recipes_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="FILE", help="JSON Lines, CSV (RecetasDeLaAbuela, Food.com) or JSON-LD")
    command.add_argument("--name", help="the source's name in the catalogue (default: the file's)")


def add_import_feedback_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file",
        metavar="FILE",
        help="CSV with recipe_id and rating, relevance, click, cook, save or hide; also query, user, timestamp or date",
    )
    command.add_argument("--source", metavar="NAME", help="the recipes are named by their ids in this source")
    command.add_argument("--allow-unknown", action="store_true", help="take recipes that the catalogue does not hold")


def add_verify_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--anchor",
        action="append",
        default=[],
        metavar="POSITION:HASH",
        help="a hash that an earlier verify printed; finds a log that was cut short or written anew (repeatable)",
    )


def add_replay_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--to", required=True, metavar="POSITION|TIME", help="a position, or a time such as 2024-12-30T15:30Z"
    )


def add_export_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=["ndjson", "cloudevents"], default="ndjson", help="default: ndjson")
    command.add_argument(
        "--after",
        type=whole_number(0, POSITION_MAX),
        default=0,
        metavar="POSITION",
        help="only the events above this position",
    )
    command.add_argument("--output", metavar="FILE", help="where to write (default: standard output)")


def add_explain_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("query", metavar="REQUEST", help='such as "tarta de queso sin huevo"')
    command.add_argument(
        "--number", type=whole_number(1, 100), default=5, metavar="N", help="how many recipes (default 5)"
    )


def add_evaluate_search_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", metavar="DATASET", help="a file of judged requests, or a folder with judged.jsonl")
    command.add_argument(
        "--configuration",
        default="",
        metavar="CONFIG",
        help="a ranker's version and what to do without: 1.0.0,no-speller (default: as served)",
    )
    command.add_argument("--against", metavar="CONFIG", help="another configuration to compare with")


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Return what makes an option's text a number within the bounds, or raises ArgumentTypeError."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise argparse.ArgumentTypeError(f"found {text!r}, allowed is a whole number from {lowest} to {highest}")
        return int(text)

    return number


def foreign_packages() -> list[str]:
    """Return where our package names lead, if not to our own folder: another distribution may bear the same name."""
    specs = [(name, importlib.util.find_spec(name)) for name in PACKAGES]
    origins = [(name, Path(spec.origin or "") if spec else Path("nowhere")) for name, spec in specs]
    return [f"{name} ({origin})" for name, origin in origins if not origin.is_relative_to(ROOT)]


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = parser().parse_args(words)
    if foreign := foreign_packages():
        print(
            f"these packages are not this project's: {', '.join(foreign)}; "
            f"uninstall them, or use the virtual environment that `make run` makes, and start {ROOT / 'run.py'}",
            file=sys.stderr,
        )
        return 2
    from recsys.commands.dispatch import dispatch  # only now, so that --help stays quick

    return dispatch(arguments)


if __name__ == "__main__":
    sys.exit(main())
