"""The small parts of the one-command run: waits, logs, folder, lock, ports, broker's configuration."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.simulator.settings import Settings as SimulatorSettings
from bridge.simulator.transformer_meter import meter_specs
from evcs.runtime.settings import load
from evcs.up import backoff, nats, platform, ports
from evcs.up.logs import RotatedLog
from evcs.up.place import PlaceError, RunLock, is_locked, prepare
from evcs.up.settings import UpSettings
from webapi.demo.town import CUSTOMERS, sites

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def nobody() -> Iterator[None]:
    """As a user who may not write everywhere: root may, also where the mode says no."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_waits_grow_to_half_a_minute() -> None:
    assert [backoff.delay_s(deaths) for deaths in range(1, 9)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_death_after_a_minute_counts_as_the_first() -> None:
    assert backoff.deaths_in_a_row(4, lived_s=59.9) == 5
    assert backoff.deaths_in_a_row(4, lived_s=60.0) == 1


def test_log_is_rotated_by_size_and_old_ones_fall_away(tmp_path: Path) -> None:
    log = RotatedLog(tmp_path / "x.log", max_bytes=10, keep=2)
    for word in (b"first\n", b"second\n", b"third\n", b"fourth\n"):
        log.write(word)
    log.close()
    names = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert names == {"x.log": "fourth\n", "x.log.1": "third\n", "x.log.2": "second\n"}


def test_log_goes_on_in_the_file_of_the_run_before(tmp_path: Path) -> None:
    for word in (b"first\n", b"second\n"):
        log = RotatedLog(tmp_path / "x.log", max_bytes=8)
        log.write(word)
        log.close()
    assert (tmp_path / "x.log").read_bytes() == b"second\n"
    assert (tmp_path / "x.log.1").read_bytes() == b"first\n"


def test_last_line_is_the_last_that_says_something(tmp_path: Path) -> None:
    log = RotatedLog(tmp_path / "x.log")
    assert log.last_line() == ""
    log.write(b"Traceback\n  ValueError: no ")
    log.write("账单\n\n  \n".encode())
    assert log.last_line() == "ValueError: no 账单"
    log.write(b"x" * 5000)
    assert log.last_line() == "x" * 300
    log.forget()
    assert log.last_line() == ""
    log.close()


def test_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    prepare(tmp_path / "deep" / "var")
    assert (tmp_path / "deep" / "var").stat().st_mode & 0o777 == 0o700


def test_read_only_folder_is_told_with_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with nobody(), pytest.raises(PlaceError, match=r"cannot be written \(Permission denied\).*EVCS_VAR="):
        prepare(tmp_path / "var")


def test_second_run_on_a_folder_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    first = RunLock.take(tmp_path)
    assert is_locked(tmp_path)
    with pytest.raises(PlaceError, match=rf"another run already works on .* \(pid {os.getpid()}\)"):
        RunLock.take(tmp_path)
    first.release()
    assert not is_locked(tmp_path)
    RunLock.take(tmp_path).release()


def test_run_waits_for_the_guard_of_a_run_that_was_killed(tmp_path: Path) -> None:
    # The first run dies with the lock handed to a process that ends half a second later, as its guard does.
    code = (
        "import os, subprocess, sys; from pathlib import Path; from evcs.up.place import RunLock\n"
        "lock = RunLock.take(Path(sys.argv[1]))\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(0.5)'], pass_fds=(lock.descriptor,))\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    assert is_locked(tmp_path)
    RunLock.take(tmp_path).release()


def test_free_ports_are_no_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert ports.trouble({"EVCS_HTTP_PORT": port}) == []
    assert not ports.accepts(port)


def test_taken_port_is_told_with_who_has_it_and_which_variable_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ports.accepts(port)
        (sentence,) = ports.trouble({"EVCS_HTTP_PORT": port})
    assert f"port {port} is taken by pid {os.getpid()} (" in sentence
    assert "EVCS_HTTP_PORT=" in sentence


def test_one_port_for_two_things_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (sentence,) = ports.trouble({"EVCS_HTTP_PORT": port, "EVCS_MQTT_PORT": port})
    assert sentence.startswith("EVCS_MQTT_PORT and EVCS_HTTP_PORT are both")


def test_broker_accepts_the_configuration(tmp_path: Path) -> None:
    config = nats.write_config(tmp_path / 'odd "folder', 18830)
    checked = subprocess.run([nats.server(), "-c", config, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_port_of_the_plan_can_be_set(tmp_path: Path) -> None:
    settings = UpSettings(var=tmp_path, meter_config=tmp_path / "meters.toml")
    taken = {child.port for child in platform.plan(settings, tmp_path / "nats.conf") if child.port is not None}
    assert taken <= set(settings.ports().values())
    assert len(set(settings.ports().values())) == len(settings.ports())


def test_real_meters_are_read_only_where_a_file_names_them(tmp_path: Path) -> None:
    def names(settings: UpSettings) -> set[str]:
        return {child.name for child in platform.plan(settings, tmp_path / "nats.conf")}

    with_meters = UpSettings(var=tmp_path, meter_config=tmp_path / "meters.toml")
    assert names(with_meters) - names(UpSettings(var=tmp_path)) == {"meter"}
    (meter,) = (one for one in platform.plan(with_meters, tmp_path / "nats.conf") if one.name == "meter")
    assert meter.env["EVCS_METER_CONFIG"] == str(tmp_path / "meters.toml")


def test_children_are_told_the_runs_own_broker_and_stores(tmp_path: Path) -> None:
    settings = UpSettings(var=tmp_path, mqtt_port=2883)
    told = platform.environment(settings, {"PATH": "/bin", "EVCS_MQTT_HOST": "elsewhere"})
    assert told["EVCS_MQTT_HOST"] == "127.0.0.1"
    assert told["EVCS_MQTT_PORT"] == "2883"
    assert told["EVCS_DATABASE_URL"] == f"sqlite:///{tmp_path}/evcs.db"
    assert told["PATH"] == "/bin"


def test_database_of_ones_own_is_kept(tmp_path: Path) -> None:
    settings = UpSettings(var=tmp_path, database_url="postgresql+psycopg://u@h/d")
    assert platform.environment(settings, {})["EVCS_DATABASE_URL"] == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize("piles", [1, 2, 5, 6])
def test_the_meter_hangs_on_the_piles_of_the_demo_s_metered_transformer(piles: int) -> None:
    settings = UpSettings(simulator_piles=piles, simulator_first=11)
    told = meter_specs(platform.meters(settings))
    metered = [site for site in sites(piles, 11) if site.has_meter and site.piles]
    assert [(spec.station, spec.transformer) for spec in told] == [(site.code, site.transformer) for site in metered]
    for spec, site in zip(told, metered, strict=True):
        assert tuple(f"55031412{n:06d}" for n in range(spec.first, spec.last + 1)) == site.piles
        assert spec.base_peak_kw == float(site.base_load_kw)
    assert platform.meters(UpSettings(simulator_has_meter=False)) == ""


def test_what_the_demo_tells_the_simulator_is_what_the_simulator_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in platform.environment(UpSettings(), {}).items():
        monkeypatch.setenv(name, value)
    simulator = load(SimulatorSettings)
    assert simulator.customers == (1, len(CUSTOMERS))
    assert simulator.chances
    assert len(simulator.meters) == 1
