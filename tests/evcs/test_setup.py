"""Set-up on machines where something is missing: each says what to do."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from evcs.setup import servers, venv

ROOT = Path(__file__).resolve().parents[2]


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What set-up needs of a fresh clone."""
    folder = tmp_path / "clone"
    (folder / "evcs" / "setup").mkdir(parents=True)
    for name in ("setup.sh", "requirements.lock", "evcs/setup/venv.py"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def set_up(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
    return subprocess.run(
        ["/bin/sh", clone / "setup.sh"], env={**kept, **environment}, capture_output=True, text=True, check=False
    )


def test_old_python_is_named_with_what_to_install(clone: Path, tmp_path: Path) -> None:
    old = 'case "$2" in *platform*) echo 3.9.2;; *) exit 1;; esac\n'
    program(tmp_path / "bin" / "python3", "#!/bin/sh\n" + old)
    done = set_up(clone, PATH=f"{tmp_path / 'bin'}:/nowhere", PYTHON="python3")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; found: python3 (3.9.2)" in done.stderr
    assert "apt-get install python3.11" in done.stderr


def test_shim_that_does_not_run_is_passed_over(clone: Path, tmp_path: Path) -> None:
    shim = program(tmp_path / "bin" / "python3.11", "#!/bin/sh\necho 'command not found' >&2; exit 127\n")
    done = set_up(clone, PYTHON=f"{shim} nothing-of-that-name")
    assert done.returncode == 1
    assert "found: none" in done.stderr


def test_unreachable_registry_is_told_and_the_next_run_goes_on(clone: Path) -> None:
    # Port 9 of loopback: nothing listens there.
    done = set_up(clone, PYTHON=sys.executable, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert done.returncode == 1
    assert "installing uv: the package registry cannot be reached" in done.stderr
    assert "HTTPS_PROXY" in done.stderr
    assert "Traceback" not in done.stderr
    assert not venv.is_current(clone / ".venv", clone / venv.LOCK)
    assert venv.python_runs(clone / ".venv")


def test_folder_called_venv_that_is_none_is_left_alone(clone: Path) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv" / "precious").touch()
    done = set_up(clone, PYTHON=sys.executable)
    assert done.returncode == 1
    assert "is no virtual environment" in done.stderr
    assert (clone / ".venv" / "precious").exists()


def test_read_only_clone_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(65534)
    try:
        with pytest.raises(venv.SetupError, match=r"cannot be written \(Permission denied\).*chown"):
            venv.check_writable(tmp_path)
    finally:
        if as_root:
            os.seteuid(0)


def test_python_without_ensurepip_is_told_with_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(venv.SetupError, match=r"comes without ensurepip.*apt-get install python3\.\d+-venv"):
        venv.check_modules()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("error: Failed to fetch: x\n  Caused by: dns error: failed to lookup", "cannot be reached"),
        ("NewConnectionError: Failed to establish a new connection: [Errno 111] Connection refused", "HTTPS_PROXY"),
        ('WARNING: Retrying ... ReadTimeoutError("Read timed out.")', "cannot be reached"),
        ("Hash mismatch for `flask==3.1.3`", "by its hash"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "by its hash"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
        ("ERROR: No matching distribution found for flask==3.1.3", "does not serve"),
        ("Segmentation fault", "what it said is above"),
    ],
)
def test_reason_of_a_failed_installation_is_told(output: str, words: str) -> None:
    assert words in venv.explain("installing the packages", output)


def test_block_of_one_package_is_cut_from_the_lock() -> None:
    lock = "idna==3 \\\n    --hash=sha256:a\n" + (
        "uv==0.13.9 \\\n    --hash=sha256:b \\\n    --hash=sha256:c\n    # via x\nuvloop==1 \\\n"
    )
    assert venv.locked(lock, "uv") == "uv==0.13.9 \\\n    --hash=sha256:b \\\n    --hash=sha256:c\n    # via x\n"
    with pytest.raises(venv.SetupError, match="does not name flask"):
        venv.locked(lock, "flask")


def test_uv_is_given_the_index_that_pip_has() -> None:
    python = Path(sys.executable)
    env = venv.installer_env(python, {"PATH": "/bin", "PIP_INDEX_URL": "https://mirror/simple", "PYTHONPATH": "/x"})
    assert env["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    assert "PYTHONPATH" not in env
    kept = venv.installer_env(python, {"PIP_INDEX_URL": "https://a/simple", "UV_DEFAULT_INDEX": "https://b/simple"})
    assert kept["UV_DEFAULT_INDEX"] == "https://b/simple"


def test_venv_is_current_only_with_this_lock_and_in_this_place(tmp_path: Path) -> None:
    lock, made = tmp_path / venv.LOCK, tmp_path / ".venv"
    lock.write_text("flask==3.1.3\n")
    assert not venv.is_current(made, lock)
    program(made / "bin" / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (made / venv.INSTALLED_AT).write_text(f"{made}\n")
    (made / venv.INSTALLED_LOCK).write_text("flask==3.1.3\n")
    assert venv.is_current(made, lock)
    lock.write_text("flask==3.1.4\n")
    assert not venv.is_current(made, lock)
    lock.write_text("flask==3.1.3\n")
    moved = made.rename(tmp_path / "moved")
    assert not venv.is_current(moved, lock)


def test_newest_postgresql_is_found_outside_the_path(tmp_path: Path) -> None:
    for version in ("9", "15", "14"):
        for name in ("initdb", "postgres"):
            program(tmp_path / version / "bin" / name, "#!/bin/sh\n")
    (tmp_path / "16" / "bin").mkdir(parents=True)
    assert servers.find_postgresql(tmp_path) == tmp_path / "15" / "bin"


class Machine:
    """A machine that lacks one server until it is installed."""

    def __init__(self, tmp_path: Path, *, can_install: bool) -> None:
        self.file = tmp_path / "mosquitto"
        self.can_install = can_install
        self.asked: list[list[str]] = []

    def servers(self) -> tuple[servers.Server, ...]:
        return (
            servers.Server("Mosquitto", "mosquitto", lambda: self.file if self.file.exists() else None, "half of it"),
            servers.Server("PostgreSQL", "postgresql", lambda: Path("/usr/bin"), "the other half"),
        )

    def install(self, packages: Sequence[str]) -> str | None:
        self.asked.append(list(packages))
        if not self.can_install:
            return "only root may install packages"
        self.file.touch()
        return None


def test_missing_server_is_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine(tmp_path, can_install=True)
    assert servers.install({"EVCS_TEST_REQUIRE_ALL": "1"}, machine.servers(), machine.install) == 0
    assert machine.asked == [["mosquitto"]]
    assert servers.install({}, machine.servers(), machine.install) == 0
    assert machine.asked == [["mosquitto"]]
    assert servers.report(machine.servers()) == 0
    assert "NOT ALL" not in capsys.readouterr().err


def test_server_that_stays_missing_is_told_twice_and_fails_only_where_all_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(tmp_path, can_install=False)
    assert servers.install({}, machine.servers(), machine.install) == 0
    said = capsys.readouterr().err
    assert "NOT ALL TESTS RUN" in said
    assert "Mosquitto is not here. Left out: half of it." in said
    assert "only root may install packages" in said
    assert "apt-get install mosquitto" in said
    servers.report(machine.servers())
    assert "NOT ALL TESTS RUN" in capsys.readouterr().err
    assert servers.install({"EVCS_TEST_REQUIRE_ALL": "1"}, machine.servers(), machine.install) == 1
