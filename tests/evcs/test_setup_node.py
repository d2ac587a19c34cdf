"""npm packages of a test: installed as the lock file says, once, and what is missing is told."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evcs.setup import node


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs before all others on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "package-lock.json").write_text("{}")
    (folder / ".npmrc").write_text("")
    return folder


def program(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("version", "found"), [("v16.20.2", False), ("v18.20.4", True), ("v24.1.0", True), ("", False)]
)
def test_node_counts_only_when_it_is_new_enough(path: Path, version: str, found: bool) -> None:
    program(path / "node", f"echo {version}")
    program(path / "npm", "exit 0")
    assert (node.find_node() == path / "node") is found


def test_missing_node_is_told(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(node.PackagesMissing, match="18 or newer with npm"):
        node.install(packages)


def test_packages_are_installed_once_and_again_after_a_change_of_the_lock(path: Path, packages: Path) -> None:
    program(path / "node", "echo v20.0.0")
    program(path / "npm", "echo $* >> asked; mkdir -p node_modules")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(node.install, [packages] * 8))
    assert (packages / "asked").read_text() == "ci --no-progress\n"
    (packages / "package-lock.json").write_text('{"lockfileVersion": 3}')
    node.install(packages)
    assert (packages / "asked").read_text().count("ci") == 2


def test_failed_installation_is_told_and_tried_again(path: Path, packages: Path) -> None:
    program(path / "node", "echo v20.0.0")
    program(path / "npm", "echo 'npm error network ENOTFOUND' >&2; exit 1")
    with pytest.raises(node.PackagesMissing, match="ENOTFOUND"):
        node.install(packages)
    program(path / "npm", "mkdir -p node_modules")
    node.install(packages)
    assert (packages / "node_modules" / node.STAMP).is_file()
