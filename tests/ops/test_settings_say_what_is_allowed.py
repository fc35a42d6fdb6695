"""The settings: the guide's names and defaults, where they come from, and what a wrong one is told."""

import re
from pathlib import Path

import pytest

from recsys.config import InvalidSetting, Settings, load_settings

ROOT = Path(__file__).parents[2]
GUIDE = """
# MLflow
MLFLOW_TRACKING_URI=./mlruns
MLFLOW_EXPERIMENT_NAME=recipe-recommendations

# Monitoreo
MONITORING_ENABLED=true
ALERT_THRESHOLD_LATENCY=5000          # ms
ALERT_THRESHOLD_ACCURACY_DROP=0.05    # 5%

# Retraining
RETRAIN_ENABLED=true
RETRAIN_INTERVAL_DAYS=7
RETRAIN_DATA_THRESHOLD=100

# Logging
LOG_LEVEL=INFO
MAX_LOG_SIZE_MB=50
BACKUP_COUNT=5
"""


def settings_from(text: str, tmp_path: Path, **environ: str) -> Settings:
    path = tmp_path / ".env"
    path.write_text(text)
    return load_settings(environ, path)


def test_the_guides_file_gives_the_defaults(tmp_path: Path) -> None:
    """The guide's .env, comments and all, says what holds without it."""
    assert settings_from(GUIDE, tmp_path) == load_settings({}, tmp_path / "missing") == Settings()


def test_the_example_file_gives_the_defaults() -> None:
    """.env.example names every setting, with its default."""
    example = ROOT / ".env.example"
    named = set(re.findall(r"^#?\s?([A-Z_]+)=", example.read_text(), re.MULTILINE))
    assert load_settings({}, example) == Settings()
    assert named == {name.upper() for name in Settings.__struct_fields__}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A setting in the environment overrides the file's; an empty one counts as not set."""
    settings = settings_from("PORT=8001\nHOST=::1\n", tmp_path, PORT="8002", HOST="")
    assert (settings.port, settings.host) == (8002, "::1")


def test_the_command_line_wins_over_the_environment(tmp_path: Path) -> None:
    """An option overrides the environment, and a wrong one is told so."""
    environ = {"PORT": "8002"}
    assert load_settings(environ, tmp_path / ".env", command_line={"PORT": "8003"}).port == 8003
    with pytest.raises(InvalidSetting, match=r"^PORT from the command line: found 'x'"):
        load_settings(environ, tmp_path / ".env", command_line={"PORT": "x"})


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("LOG_LEVEL=DEBUG", "DEBUG"),
        ("  export LOG_LEVEL = DEBUG  ", "DEBUG"),
        ("LOG_LEVEL='DEBUG' # loud", "DEBUG"),
        ('LOG_LEVEL="DEBUG"', "DEBUG"),
        ("LOG_LEVEL= # nothing", "INFO"),
        ("#LOG_LEVEL=DEBUG", "INFO"),
    ],
)
def test_a_line_reads_as_in_a_shell(tmp_path: Path, line: str, level: str) -> None:
    """Quotes, `export`, blanks and comments are understood."""
    assert settings_from(line, tmp_path).log_level == level


def test_a_hash_within_a_value_is_kept(tmp_path: Path) -> None:
    """A # opens a comment only after a space; in quotes it never does."""
    assert settings_from("MLFLOW_TRACKING_URI=http://u:p#w@h/", tmp_path).mlflow_tracking_uri == "http://u:p#w@h/"
    assert settings_from("MLFLOW_EXPERIMENT_NAME='a # b'", tmp_path).mlflow_experiment_name == "a # b"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("LOG_LEVEL", "LOUD", "CRITICAL, DEBUG, ERROR, INFO, WARNING"),
        ("PORT", "abc", "a whole number from 0 to 65535"),
        ("PORT", "70000", "a whole number from 0 to 65535"),
        ("MONITORING_ENABLED", "perhaps", "true or false"),
        ("ALERT_THRESHOLD_ACCURACY_DROP", "5%", "a number above 0 and up to 1"),
        ("ALERT_THRESHOLD_LATENCY", "nan", "a number above 0 and up to 3600000"),
        ("RETRAIN_INTERVAL_DAYS", "-1", "a number above 0 and up to 3650"),
    ],
)
def test_a_wrong_value_is_told_what_is_allowed(tmp_path: Path, name: str, value: str, allowed: str) -> None:
    """The error names the setting, where it stands, what was found and what is allowed."""
    message = f"{name} from the environment: found {value!r}, allowed is {allowed}"
    with pytest.raises(InvalidSetting, match=f"^{re.escape(message)}$"):
        load_settings({name: value}, tmp_path / ".env")


@pytest.mark.parametrize("line", ["LOG_LEVEL", "=INFO", 'LOG_LEVEL="INFO', "LOG_LEVEL='A' B"])
def test_a_line_that_is_no_setting_is_named(tmp_path: Path, line: str) -> None:
    """A line that cannot be read is reported with its file and number."""
    with pytest.raises(InvalidSetting, match=r"\.env, line 2: found"):
        settings_from(f"PORT=8000\n{line}\n", tmp_path)
