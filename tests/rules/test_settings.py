"""What rules can be told, and what it refuses to be told."""

import pytest

from evcs.runtime.settings import SettingsError, load
from rules.settings import Settings


def test_it_is_the_only_owner_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVCS_SHARD_OWNER", "EVCS_SHARD_OWNERS"):
        monkeypatch.delenv(name, raising=False)
    assert load(Settings).instance == "1-of-1"
    monkeypatch.setenv("EVCS_SHARD_OWNER", "2")
    monkeypatch.setenv("EVCS_SHARD_OWNERS", "4")
    assert load(Settings).instance == "2-of-4"


def test_an_owner_beyond_the_last_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCS_SHARD_OWNER", "5")
    monkeypatch.setenv("EVCS_SHARD_OWNERS", "4")
    with pytest.raises(SettingsError, match="EVCS_SHARD_OWNER is 5, but there are 4 owners"):
        load(Settings)
