"""What a handler is given: who asks, when, from where, and the one transaction of the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import cast

from flask import Flask, current_app
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from evcs.contracts.measurements import Rollup
from evcs.runtime.clock import Clock
from evcs.store.interface import TelemetryReader
from webapi.access import Asker, ConsoleUser, Visible, visible
from webapi.mini.qr import GunCodes
from webapi.recharges.limits import RechargeLimits

EXTENSION = "evcs"


@dataclass(frozen=True, slots=True)
class Adapters:
    """What the process opened once."""

    engine: Engine
    sessions: sessionmaker[Session]
    telemetry: TelemetryReader
    clock: Clock
    rollups: Mapping[str, TelemetryReader] = field(default_factory=dict)
    """Readers of the roll-ups by bucket, where the store keeps those apart from the readings (InfluxDB)."""
    gun_codes: GunCodes = field(default_factory=lambda: GunCodes(token_hex(32), ""))
    """Of the QR codes; without a secret of the installation, codes of this process alone."""
    exports: Path = Path("var/exports")
    """Where the files of exports are."""
    recharge_limits: RechargeLimits = field(default_factory=RechargeLimits)
    """What one person may put on wallets by hand."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How the asker proved who it is: by a browser session (with its CSRF token) or by a bearer token."""

    asker: Asker
    session_hash: str | None = None
    csrf_token: str | None = None
    token_id: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    address: str
    request_id: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of somebody who is signed in. The handler commits nothing: that happens once, after it."""

    session: Session
    signed_in: SignedIn
    origin: Origin
    at: datetime
    telemetry: TelemetryReader
    key: str | None = None
    """The idempotency key of a request that has one."""
    rollups: Mapping[str, TelemetryReader] = field(default_factory=dict)

    @property
    def gun_codes(self) -> GunCodes:
        """Makes and reads the QR codes of guns."""
        return adapters().gun_codes

    @property
    def recharge_limits(self) -> RechargeLimits:
        """What one person may put on wallets by hand."""
        return adapters().recharge_limits

    def reader_of(self, rollup: Rollup) -> TelemetryReader:
        """Where a roll-up is read."""
        return self.rollups.get(rollup.bucket, self.telemetry)

    @property
    def asker(self) -> Asker:
        """Who asks."""
        return self.signed_in.asker

    @property
    def sees(self) -> Visible:
        """Selects that find only what the asker may see."""
        return visible(self.asker)

    @property
    def user(self) -> ConsoleUser | None:
        """The console user, where it is one."""
        return self.asker if isinstance(self.asker, ConsoleUser) else None


def install(app: Flask, adapters: Adapters) -> None:
    """Give an app its adapters."""
    app.extensions[EXTENSION] = adapters


def adapters() -> Adapters:
    """Those of the app that serves the request."""
    return cast(Adapters, current_app.extensions[EXTENSION])
