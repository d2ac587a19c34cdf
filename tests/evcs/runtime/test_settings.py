"""Settings come from EVCS_… variables and files, typed, and every mistake is told at once by its variable's name."""

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from evcs.runtime.settings import ServiceSettings, SettingsError, load, read


class Wanted(ServiceSettings):
    shards: int = Field(default=1, ge=1)
    names: list[str] = Field(default_factory=list)


def test_defaults_need_no_variable() -> None:
    settings = load(Wanted)
    assert (settings.mqtt_host, settings.mqtt_port, settings.mqtt_keepalive) == ("127.0.0.1", 1883, 10)
    assert settings.mqtt_password is None


def test_variables_are_read_and_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCS_MQTT_PORT", "1884")
    monkeypatch.setenv("EVCS_NAMES", '["a", "b"]')
    settings = load(Wanted)
    assert settings.mqtt_port == 1884
    assert settings.names == ["a", "b"]


def test_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCS_MQTT_PORT", "")
    assert load(Wanted).mqtt_port == 1883


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load(Wanted).mqtt_port = 2


def test_secret_is_read_from_the_file_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("pass word\n")
    monkeypatch.setenv("EVCS_MQTT_PASSWORD_FILE", str(secret))
    settings = load(Wanted)
    assert settings.mqtt_password == "pass word"
    assert "pass word" not in repr(settings)


def test_all_mistakes_are_told_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVCS_MQTT_PORT", "seventy")
    monkeypatch.setenv("EVCS_SHARDS", "0")
    monkeypatch.setenv("EVCS_LOG_LEVEL", "loud")
    monkeypatch.setenv("EVCS_MQTT_USERNAME_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("EVCS_MQTT_PASSWORD", "s3cret")
    monkeypatch.setenv("EVCS_MQTT_PASSWORD_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError) as raised:
        load(Wanted)
    told = [problem.partition(":")[0] for problem in raised.value.problems]
    assert sorted(told) == [
        "EVCS_LOG_LEVEL",
        "EVCS_MQTT_PASSWORD",
        "EVCS_MQTT_PORT",
        "EVCS_MQTT_USERNAME_FILE",
        "EVCS_SHARDS",
    ]
    assert "s3cret" not in str(raised.value)


def test_list_that_is_no_json_names_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCS_NAMES", "a,b")
    with pytest.raises(SettingsError, match="names"):
        load(Wanted)


def test_read_ends_with_code_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EVCS_SHARDS", "none")
    with pytest.raises(SystemExit) as raised:
        read(Wanted)
    assert raised.value.code == 2
    assert "EVCS_SHARDS" in capsys.readouterr().err
