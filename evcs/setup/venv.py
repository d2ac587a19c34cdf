"""Makes .venv from requirements.lock, every package by its hash; run by setup.sh with the standard library alone.

Whatever can be wrong with the machine is said as a sentence that tells what to do, never as a traceback.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = "requirements.lock"
INSTALLED_LOCK = "evcs-installed.lock"
INSTALLED_AT = "evcs-installed.at"

NO_NETWORK = re.compile(
    r"temporary failure in name resolution|name or service not known|nodename nor servname|dns error"
    r"|network is unreachable|connection (?:refused|reset|timed out|error)|newconnectionerror|timed? ?out"
    r"|failed to establish a new connection|error sending request|tunnel|proxyerror|could not connect"
    r"|max retries exceeded",
    re.IGNORECASE,
)
BAD_CERTIFICATE = re.compile(r"certificate[_ ]verify|invalid peer certificate|unknownissuer|sslerror", re.IGNORECASE)
BAD_HASH = re.compile(r"hash mismatch|do not match the hashes|hashes do not match", re.IGNORECASE)
DISK_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
NOT_THERE = re.compile(
    r"no matching distribution|not found in the (?:package )?registry|no solution found", re.IGNORECASE
)


class SetupError(Exception):
    """The machine cannot do what set-up needs; the text says what to do about it."""


def say(text: str) -> None:
    """One line for the person who waits."""
    sys.stderr.write(text + "\n")


def explain(step: str, output: str) -> str:
    """Say in one or two lines why an installer failed, from what it printed; `step` names what it was doing."""
    if DISK_FULL.search(output):
        return f"{step}: the disk is full. Free about 1 GB (for .venv and the package cache), then run it again."
    if BAD_HASH.search(output):
        return (
            f"{step}: a package is not the one that {LOCK} names by its hash. Either the registry or a proxy changes "
            "packages, or a download was damaged: remove .venv, ~/.cache/uv and ~/.cache/pip and try once more."
        )
    if BAD_CERTIFICATE.search(output):
        return (
            f"{step}: the package registry's certificate is not trusted here. Behind a proxy that signs anew, "
            "name its CA file: SSL_CERT_FILE=/path/to/ca.pem PIP_CERT=/path/to/ca.pem"
        )
    if NO_NETWORK.search(output):
        return (
            f"{step}: the package registry cannot be reached. Check the network, then run it again; behind a proxy "
            "set HTTPS_PROXY, with a registry of your own PIP_INDEX_URL and UV_DEFAULT_INDEX."
        )
    if NOT_THERE.search(output):
        return (
            f"{step}: the registry does not serve a package that {LOCK} names (its answer is above). "
            "A mirror that lags behind? Set PIP_INDEX_URL and UV_DEFAULT_INDEX to another one."
        )
    return f"{step} failed; what it said is above."


def locked(lock_text: str, name: str) -> str:
    """The lines of one package in the lock file: its version and its hashes."""
    found = re.search(rf"^{re.escape(name)}==.*(?:\n[ \t]+.*)*", lock_text, re.MULTILINE)
    if found is None:
        raise SetupError(f"{LOCK} does not name {name}: is the clone complete?")
    return found.group(0) + "\n"


def check_writable(root: Path) -> None:
    """Raise SetupError unless files can be made in `root`; root itself may be stopped too, by a read-only mount."""
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise SetupError(
            f"{root} cannot be written ({error.strerror}). Set-up makes .venv there and the platform writes var/: "
            "clone into a folder of your own, or make this one writable (chown, chmod, mount without ro)."
        ) from error


def check_modules() -> None:
    """Raise SetupError when this Python was packaged without venv or pip, as Debian does."""
    try:
        for module in ("venv", "ensurepip"):
            importlib.import_module(module)
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"this Python ({sys.executable}) comes without {error.name}, which makes the virtual environment. "
            f"Debian, Ubuntu: apt-get install python{version}-venv; then run the same command again."
        ) from error


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold `root` against a second set-up at the same time; it waits, and then finds the work done."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def run_step(step: str, command: Sequence[str], env: Mapping[str, str]) -> None:
    """Run one installer with its output shown as it comes; raise SetupError with the reason when it fails."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if not line.startswith((" + ", " - ")):  # uv's list of single packages tells nothing that the lock does not
                sys.stderr.write("  " + line)
    if process.returncode != 0:
        raise SetupError(explain(step, "".join(lines)))


def installer_env(venv_python: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv, which reads none of pip's settings: index and CA that pip was given are handed on."""
    env = {name: value for name, value in environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}

    def pip_setting(name: str) -> str:
        asked = subprocess.run(
            [str(venv_python), "-m", "pip", "config", "get", name], env=env, capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() if asked.returncode == 0 else ""

    if not any(name in env for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        index = env.get("PIP_INDEX_URL") or pip_setting("global.index-url")
        if index:
            env["UV_DEFAULT_INDEX"] = index
    if "SSL_CERT_FILE" not in env:
        certificate = env.get("PIP_CERT") or pip_setting("global.cert")
        if certificate:
            env["SSL_CERT_FILE"] = certificate
    return env


def is_current(venv: Path, lock: Path) -> bool:
    """Whether `venv` was made here, from exactly this lock file, and its Python still runs."""
    try:
        same = (venv / INSTALLED_LOCK).read_bytes() == lock.read_bytes()
        here = (venv / INSTALLED_AT).read_text().strip() == str(venv)
    except OSError:
        return False
    return same and here and python_runs(venv)


def python_runs(venv: Path) -> bool:
    """Whether the venv's Python starts (the Python it was made from may have gone) and is new enough."""
    try:
        asked = subprocess.run(
            [str(venv / "bin" / "python"), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return asked.returncode == 0


def make_venv(venv: Path) -> None:
    """Make `venv` anew unless it stands, belongs here and can install; refuse to touch a folder that is no venv."""
    if venv.exists():
        if not (venv / "pyvenv.cfg").is_file() and any(venv.iterdir()):
            raise SetupError(f"{venv} is there but is no virtual environment: move it away, then run it again.")
        # The scripts inside name the folder where they were made, so a copied or moved one is of no use.
        made_here = (venv / INSTALLED_AT).is_file() and (venv / INSTALLED_AT).read_text().strip() == str(venv)
        if made_here and python_runs(venv):
            return
        shutil.rmtree(venv)
    say(f"making .venv with Python {sys.version.split()[0]} ({sys.executable})")
    run_step("making .venv", [sys.executable, "-m", "venv", str(venv)], os.environ)


def install(root: Path) -> None:
    """Bring `root`/.venv to what `root`/requirements.lock says; raises SetupError with what to do."""
    check_modules()
    check_writable(root)
    venv, lock = root / ".venv", root / LOCK
    if not lock.is_file():
        raise SetupError(f"{lock} is missing: is the clone complete?")
    with alone(root):
        if is_current(venv, lock):
            return
        make_venv(venv)
        (venv / INSTALLED_AT).write_text(f"{venv}\n")
        python = venv / "bin" / "python"
        lock_text = lock.read_text(encoding="utf-8")
        env = installer_env(python, os.environ)
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as uv_lock:
            uv_lock.write(locked(lock_text, "uv"))
            uv_lock.flush()
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2"]
            run_step("installing uv", [*pip, "--no-deps", "--require-hashes", "-r", uv_lock.name], env)
        count = len(re.findall(r"^\w\S*==", lock_text, re.MULTILINE))
        say(f"installing {count} packages from {LOCK}")
        sync = [str(python), "-m", "uv", "pip", "sync", "--python", str(python), "--require-hashes"]
        run_step("installing the packages", [*sync, str(lock)], env)
        # Written last: an interrupted installation is taken up again by the next run.
        (venv / INSTALLED_LOCK).write_bytes(lock.read_bytes())


def main() -> int:
    """Install, or say on standard error what is in the way and return 1."""
    try:
        install(ROOT)
    except SetupError as error:
        say(f"\nevcs set-up: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nevcs set-up: interrupted; the next run goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
