"""What bridge and rules would say, for tests: one pile with one gun, logged in on bridge b1."""

from datetime import datetime, timedelta
from decimal import Decimal

from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import GunLevel, GunReply, Verdict, VerdictKind
from evcs.contracts.pile import Outcome, PileStatus
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.times import to_ms
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, STATION

AT_PILE = Address(station=STATION, pile=PILE)
AT_GUN = Address(station=STATION, pile=PILE, gun=1)
LOGIN = to_ms(BEGIN)
ENERGY = Decimal("10.0000")
AMOUNT_E4 = 152_345


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def receipt(n: int = 1) -> Receipt:
    return Receipt(bridge="b1", started_ms=7, n=n)


def bridge(*, online: bool = True, started_ms: int = 7, version: int = 1) -> BridgeStatus:
    return BridgeStatus(version=version, bridge="b1", online=online, started_ms=started_ms, since=BEGIN)


def pile(*, online: bool = True, version: int = 1, login: datetime = BEGIN, tariff: str | None = "v1") -> PileStatus:
    return PileStatus(
        receipt=receipt(),
        version=version,
        pile=PILE,
        online=online,
        since=login,
        login_at=login if online else None,
        link=f"b1-7-{to_ms(login)}" if online else "",
        bridge="b1",
        bridge_started_ms=7,
        tariff_version=tariff,
    )


def level(
    state: GunState, version: int, serial: str | None = None, *, seconds: float = 0, login_ms: int = LOGIN
) -> GunLevel:
    return GunLevel(
        receipt=receipt(version),
        login_ms=login_ms,
        version=version,
        pile=PILE,
        gun=1,
        state=state,
        serial=serial,
        since=at(seconds),
    )


def verdict(request: str | None, serial: str, kind: VerdictKind, reason: Reason | None = None) -> Verdict:
    return Verdict(id=f"v-{request}", request=request, serial=serial, kind=kind, reason=reason, decided_at=at(1))


def reply(serial: str, outcome: Outcome, reason: Reason | None = None) -> GunReply:
    return GunReply(
        id=f"s-{serial[-4:]}",
        receipt=receipt(),
        serial=serial,
        command="start",
        outcome=outcome,
        reason=reason,
        pile_code=3,
        received_at=at(2),
    )
