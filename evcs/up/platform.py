"""The plan of the one-command run: broker, database, services, simulated fleet, a demo that recharges and orders."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from evcs.up import nats
from evcs.up.plan import Child, Plan
from evcs.up.ports import LOOPBACK
from evcs.up.settings import UpSettings

SIGN_IN = "demo-sign-in.txt"


def plan(settings: UpSettings, nats_config: Path, python: str = sys.executable) -> Plan:
    """What runs, what each waits for, and in which order it stops (the last group first)."""

    def module(*command: str) -> tuple[str, ...]:
        return (python, "-m", *command)

    broker = Child(
        name="broker",
        command=(str(nats.server()), "-c", str(nats_config)),
        what="NATS server as MQTT broker",
        port=settings.mqtt_port,
    )
    upgrade = Child(
        name="database", command=module("webapi.database", "upgrade"), what="brings the schema up to date", once=True
    )
    seed = Child(
        name="seed",
        command=module("webapi.demo", "seed"),
        what="demo stations, piles, tariff and customers, once",
        needs=("database",),
        once=True,
    )
    worker = Child(
        name="worker",
        command=module("webapi.worker"),
        what="orders, settlement, configuration",
        needs=("broker", "seed"),
        port=settings.worker_health_port,
        env={"EVCS_HEALTH_PORT": str(settings.worker_health_port)},
    )
    rules = Child(
        name="rules",
        command=module("rules"),
        what="transformer limits and goals",
        needs=("broker", "seed"),
        port=settings.rules_health_port,
        env={"EVCS_HEALTH_PORT": str(settings.rules_health_port)},
    )
    ingest = Child(
        name="ingest",
        command=module("ingest"),
        what="telemetry into the store",
        needs=("broker", "seed"),
        port=settings.ingest_health_port,
        env={"EVCS_HEALTH_PORT": str(settings.ingest_health_port)},
    )
    bridge = Child(
        name="bridge",
        command=module("bridge"),
        what="piles over TCP",
        needs=("broker", "seed"),
        port=settings.bridge_port,
        env={"EVCS_HEALTH_PORT": str(settings.bridge_health_port)},
    )
    webapi = Child(
        name="webapi",
        command=module("webapi"),
        what="HTTP API",
        needs=("seed",),
        port=settings.http_port,
    )

    def meter(config: Path) -> Child:
        return Child(
            name="meter",
            command=module("bridge.meter"),
            what="transformer meters over Modbus TCP",
            needs=("broker",),
            port=settings.meter_health_port,
            env={
                "EVCS_HEALTH_PORT": str(settings.meter_health_port),
                "EVCS_METER_CONFIG": str(config.expanduser().absolute()),
            },
        )

    simulator = Child(
        name="simulator",
        command=module("bridge.simulator"),
        what=f"{settings.simulator_piles} piles of {settings.simulator_guns} guns, with cars",
        needs=("bridge",),
    )
    drive = Child(
        name="drive",
        command=module("webapi.demo", "drive"),
        what="recharges and orders for the demo's customers",
        needs=("webapi",),
    )
    real = () if settings.meter_config is None else (meter(settings.meter_config),)
    return Plan(((broker,), (upgrade,), (seed,), (worker, rules, ingest), (bridge, webapi, *real), (simulator, drive)))


def environment(settings: UpSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """What every child is told, on top of what the caller's environment says."""
    folder = settings.folder()
    return {
        **environ,
        "PYTHONUNBUFFERED": "1",
        "EVCS_VAR": str(folder),
        "EVCS_MQTT_HOST": LOOPBACK,
        "EVCS_MQTT_PORT": str(settings.mqtt_port),
        "EVCS_BRIDGE_HOST": LOOPBACK,
        "EVCS_BRIDGE_PORT": str(settings.bridge_port),
        "EVCS_HTTP_HOST": LOOPBACK,
        "EVCS_HTTP_PORT": str(settings.http_port),
        "EVCS_DATABASE_URL": settings.database_url or f"sqlite:///{folder / 'evcs.db'}",
        "EVCS_STORE_URL": settings.store_url or f"sqlite:///{folder / 'telemetry.db'}",
        # The seed makes exactly the piles that the simulator logs in: both are told the same.
        "EVCS_SIMULATOR_PILES": str(settings.simulator_piles),
        "EVCS_SIMULATOR_GUNS": str(settings.simulator_guns),
        "EVCS_SIMULATOR_SEED": str(settings.simulator_seed),
        "EVCS_SIMULATOR_SPEED": f"{settings.simulator_speed:g}",
        "EVCS_SIMULATOR_ENERGY_FACTOR": str(settings.simulator_energy_factor),
        "EVCS_SIMULATOR_NEED_KWH": settings.simulator_need_kwh,
        "EVCS_SIMULATOR_FIRST": str(settings.simulator_first),
        "EVCS_SIMULATOR_CUSTOMERS": settings.simulator_customers,
        "EVCS_SIMULATOR_CARD_SHARE": f"{settings.simulator_card_share:g}",
        "EVCS_SIMULATOR_VIN_SHARE": f"{settings.simulator_vin_share:g}",
        "EVCS_SIMULATOR_JOINT_SHARE": f"{settings.simulator_joint_share:g}",
        "EVCS_SIMULATOR_LOCK_SHARE": f"{settings.simulator_lock_share:g}",
        "EVCS_SIMULATOR_TROUBLES": settings.simulator_troubles,
        "EVCS_SIMULATOR_METERS": environ.get("EVCS_SIMULATOR_METERS", meters(settings)),
        "EVCS_LOG_LEVEL": settings.log_level,
    }


def meters(settings: UpSettings) -> str:
    """The meter of the demo's second transformer, as the simulator is told it: the latter half of the piles."""
    half = (settings.simulator_piles + 1) // 2
    others = settings.simulator_piles - half
    if not settings.simulator_has_meter or others == 0:
        return ""
    first = settings.simulator_first + half
    return f"DEMO-B/DEMO-B-T1:{first}-{first + others - 1}:{200 * others}:40"
