"""The secret behind the QR codes outlives restarts and is one for all processes that start together."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from webapi.mini.secret import FILE, qr_secret


def test_given_secret_is_used_and_no_file_made(tmp_path: Path) -> None:
    assert qr_secret("of the settings, long enough", tmp_path / "var") == "of the settings, long enough"
    assert not (tmp_path / "var").exists()


def test_made_secret_stays_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = qr_secret(None, tmp_path / "var")
    assert len(first) == 64
    assert qr_secret(None, tmp_path / "var") == first
    assert stat.S_IMODE((tmp_path / "var" / FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == [FILE]


def test_many_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: qr_secret(None, tmp_path), range(64)))
    assert len(made) == 1
