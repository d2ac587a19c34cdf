"""Typed, immutable settings of a service, read from EVCS_… variables, with all mistakes reported together."""

import os
import sys
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

PREFIX = "EVCS_"


class SettingsError(Exception):
    """One or more settings are wrong; ``problems`` has one line for each, opening with the variable's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class FileSource(PydanticBaseSettingsSource):
    """Reads EVCS_X from the file that EVCS_X_FILE names, as container secrets are handed over.

    pydantic-settings' own ``secrets_dir`` fixes the file's name and place, so it cannot do this.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = variable(field_name)
        path = os.environ.get(f"{name}_FILE", "")
        if not path:
            return None, field_name, False
        if os.environ.get(name):
            raise SettingsError([f"{name}: set both directly and by {name}_FILE; keep one of them"])
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError([f"{name}_FILE: cannot read {path}: {error}"]) from error

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        problems: list[str] = []
        for field_name, field in self.settings_cls.model_fields.items():
            try:
                value, key, _ = self.get_field_value(field, field_name)
            except SettingsError as error:
                problems += error.problems
                continue
            if value is not None:
                found[key] = value
        if problems:
            # Reported with the rest: what is unreadable must not hide what is wrong elsewhere.
            found[_PROBLEMS] = problems
        return found


_PROBLEMS = "settings_file_problems"


class MqttSettings(BaseSettings):
    """Where the broker is and how the sessions treat it."""

    mqtt_host: str = Field(default="127.0.0.1", description="broker's host")
    mqtt_port: int = Field(default=1883, ge=1, le=65535, description="broker's port")
    mqtt_username: str | None = Field(default=None, description="user at the broker")
    mqtt_password: str | None = Field(default=None, repr=False, description="password at the broker")
    mqtt_keepalive: int = Field(
        default=10, ge=1, le=600, description="keep-alive, s; a dead broker is noticed after twice that"
    )
    mqtt_reconnect_s: float = Field(default=1.0, gt=0, le=60, description="first wait before connecting again, s")


class ServiceSettings(MqttSettings):
    """What every service can be told; a room's Settings class adds its own fields to it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, validate_default=True
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="lowest level that is logged"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console on a terminal, else JSON"
    )
    health_host: str = Field(default="127.0.0.1", description="address of /healthz, /readyz, /metrics")
    health_port: int = Field(default=0, ge=0, le=65535, description="port of /healthz, /readyz, /metrics; 0 = none")
    clock_offset_file: Path | None = Field(
        default=None, description="file with seconds added to the time of day (tests only)"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSource(settings_cls)


S = TypeVar("S", bound=ServiceSettings)


def variable(field_name: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field_name}".upper()


def load(cls: type[S]) -> S:
    """Read the settings; raise one SettingsError that names every wrong variable."""
    problems: list[str] = list(FileSource(cls)().get(_PROBLEMS, []))
    try:
        settings = cls()
    except ValidationError as error:
        problems += [_told(problem["loc"], problem["msg"], problem["type"]) for problem in error.errors()]
    except SourceError as error:
        # A list or object that is not JSON: pydantic-settings stops at the first and names its field in the text.
        problems.append(f"{PREFIX}…: {error}")
    else:
        if not problems:
            return settings
    raise SettingsError(problems)


def read(cls: type[S]) -> S:
    """Read the settings or end the process with code 2, after telling every wrong one by its variable's name."""
    try:
        return load(cls)
    except SettingsError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        print(f"wrong settings, nothing was started:\n{lines}", file=sys.stderr)  # noqa: T201 - before logs are set up
        raise SystemExit(2) from None


def _told(location: tuple[int | str, ...], message: str, kind: str) -> str:
    """One line on one mistake. The value is left out on purpose: it may be a secret."""
    head, *rest = location or ("",)
    where = variable(str(head)) + "".join(f"[{part}]" for part in rest)
    return f"{where}: {'is required' if kind == 'missing' else message}"
