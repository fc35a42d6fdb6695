"""The settings of the service: their names, defaults and allowed values. Floor 3; imports nothing of ours."""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.inspect import BoolType, FloatType, IntType, LiteralType

WEBHOOKS_MAX: Final = 10  # each has a task of its own
WEBHOOK_URL: Final = re.compile(r"https?://[^\s/?#]+\S*")
SECRET_CHARACTERS_MIN: Final = 16


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What may be set from outside. The setting's name is the field's in capitals: `log_level` is LOG_LEVEL."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000  # 0: the operating system chooses
    data_dir: Path = Path("data")
    log_dir: Path = Path("logs")
    recipes_wheel: Path | None = None  # the Wikibooks package or its folder; None: where `make run` puts it

    # Nothing is sent to the endpoint unless a model is named; "" embeds with the shipped model and translates nothing.
    openai_api_key: str = ""
    openai_base_url: str = "https://api.openai.com/v1"
    embedding_model: str = ""
    llm_model: str = ""

    # Without either, the vectors are searched in this process alone. The URL goes before the host and its port.
    qdrant_url: str = ""
    qdrant_host: str = ""
    qdrant_port: Annotated[int, Meta(ge=1, le=65535)] = 6333
    qdrant_api_key: str = ""

    mlflow_tracking_uri: str = "./mlruns"
    mlflow_experiment_name: str = "recipe-recommendations"

    monitoring_enabled: bool = True
    alert_threshold_latency: Annotated[float, Meta(gt=0, le=3_600_000)] = 5000.0  # milliseconds
    alert_threshold_accuracy_drop: Annotated[float, Meta(gt=0, le=1)] = 0.05  # relative: a fall by 5 %
    # Who is told of alerts; with a comma between them. Each URL may hold a secret, so none is ever logged.
    alert_webhook_urls: str = ""
    alert_webhook_secret: str = ""

    retrain_enabled: bool = True
    retrain_interval_days: Annotated[float, Meta(gt=0, le=3650)] = 7.0
    retrain_data_threshold: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 100  # new samples since the last training

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    max_log_size_mb: Annotated[int, Meta(ge=1, le=10_000)] = 50
    backup_count: Annotated[int, Meta(ge=0, le=1000)] = 5  # rotated files kept beside each log file

    @property
    def webhook_urls(self) -> list[str]:
        """Return the addresses of ALERT_WEBHOOK_URLS, each once."""
        return list(dict.fromkeys(filter(None, map(str.strip, self.alert_webhook_urls.split(",")))))


class InvalidSetting(ValueError):
    """A setting has a value that is not allowed."""


def load_settings(
    environ: Mapping[str, str], env_file: Path = Path(".env"), *, command_line: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings: the command line's before those of `environ`, before those of `env_file`, else the defaults.

    An empty value counts as not set. env_file: may be missing. Raises InvalidSetting, which names the setting, what
    was found and what is allowed.
    """
    sources = {
        "the command line": command_line or {},
        "the environment": environ,
        str(env_file): read_env_file(env_file),
    }
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        name = field.name.upper()
        given = ((place, source[name].strip()) for place, source in sources.items() if source.get(name, "").strip())
        for place, text in itertools.islice(given, 1):
            values[field.name] = parse_setting(name, text, field.type, place=place)
    settings = Settings(**values)
    check_webhooks(settings)
    return settings


def check_webhooks(settings: Settings) -> None:
    """Raise InvalidSetting if alerts could not be delivered; it says nothing of what the addresses hold."""
    if len(settings.webhook_urls) > WEBHOOKS_MAX:
        raise InvalidSetting(f"ALERT_WEBHOOK_URLS: found {len(settings.webhook_urls)}, allowed are {WEBHOOKS_MAX}")
    for number, url in enumerate(settings.webhook_urls, 1):
        if not WEBHOOK_URL.fullmatch(url):
            raise InvalidSetting(
                f"ALERT_WEBHOOK_URLS: its address {number} is none, allowed is https:// or http:// with a host; "
                "write a comma within an address as %2C"
            )
    if settings.webhook_urls and len(settings.alert_webhook_secret) < SECRET_CHARACTERS_MIN:
        raise InvalidSetting(
            f"ALERT_WEBHOOK_SECRET: found {len(settings.alert_webhook_secret)} characters, allowed are "
            f"{SECRET_CHARACTERS_MIN} or more: it signs what is sent to ALERT_WEBHOOK_URLS"
        )


def parse_setting(name: str, text: str, field_type: Any, *, place: str) -> Any:
    """Return the value of a setting from its text. Raises InvalidSetting."""
    try:
        return msgspec.convert(text, field_type, strict=False, dec_hook=lambda _, path: Path(path).expanduser())
    except msgspec.ValidationError:
        raise InvalidSetting(f"{name} from {place}: found {text!r}, allowed is {allowed_values(field_type)}") from None


def allowed_values(field_type: Any) -> str:
    """Return what a field may hold, in words.

    >>> allowed_values(Annotated[int, Meta(ge=0, le=65535)])
    'a whole number from 0 to 65535'
    """
    match msgspec.inspect.type_info(field_type):
        case BoolType():
            return "true or false"
        case IntType(ge=lowest, le=highest):
            return f"a whole number from {lowest} to {highest}"
        case FloatType(gt=bound, le=highest):
            return f"a number above {bound} and up to {highest}"
        case LiteralType(values=values):
            return ", ".join(str(value) for value in values)
        case _:
            return "any text"


def read_env_file(path: Path) -> dict[str, str]:
    """Return the names and values of a .env file; none if it is missing. Raises InvalidSetting."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{path} cannot be read: {error}; make it a UTF-8 text of NAME=value lines") from error
    return dict(
        parse_env_line(line, place=f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    )


# NAME=value, NAME="value" or NAME='value'; a # at the value's start or after a space opens a comment.
ENV_LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>\w+)\s*=\s*
        (?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>(?!["']).*?))
        \s*(?:(?<![^\s=])\#.*)?$""",
    re.VERBOSE,
)


def parse_env_line(line: str, *, place: str) -> tuple[str, str]:
    """Return the name and the value of one line.

    >>> parse_env_line("ALERT_THRESHOLD_LATENCY=5000          # ms", place=".env, line 1")
    ('ALERT_THRESHOLD_LATENCY', '5000')
    """
    match = ENV_LINE.match(line)
    if match is None:
        raise InvalidSetting(f"{place}: found {line.strip()!r}, allowed is NAME=value, with a comment after ' # '")
    value = match["double"] or match["single"] or match["bare"] or ""
    return match["name"], value
