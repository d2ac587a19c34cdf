"""The town's drivers over time: who is free to come, who is new, and what stands in each wallet. Pure."""

from dataclasses import dataclass
from random import Random

from bridge.simulator.arrivals import draw_vin
from evcs.contracts.history import Driver, Past, PastDriver, PastRecharge
from evcs.contracts.times import from_ms

LEAST_FEN = 25_000
"""Below this a driver recharges first: the hold of a start is 200 yuan at most."""
RECHARGES_FEN = (30_000, 50_000, 50_000, 100_000)
BEFORE_MS = 90_000
"""A recharge comes so long before the order that needs it."""
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_TITLES = ("师傅", "先生", "女士")


@dataclass(slots=True)
class Customer:
    """A driver with the wallet as the past has it."""

    driver: Driver
    balance_fen: int = 0
    recharges: int = 0
    opened: bool = False
    """Already in the town, or told by a line."""
    busy: bool = False


class Drivers:
    """Regulars of the town and those who join it; each charges one car at a time. `label` names this past."""

    def __init__(self, known: tuple[Driver, ...], joining: int, seed: int, label: str) -> None:
        self._label = label
        self._dice = Random(f"{seed}/drivers")
        taken = {driver.phone for driver in known}
        self._all = [Customer(driver, opened=True) for driver in known]
        number = 0
        while joining > 0:
            number += 1
            phone = f"139{seed % 1000:03d}{number:05d}"
            if phone not in taken:
                self._all.append(Customer(self._new(phone, number, seed)))
                joining -= 1

    def _new(self, phone: str, number: int, seed: int) -> Driver:
        dice = self._dice
        has_card = dice.random() < 0.5
        return Driver(
            name=dice.choice(_SURNAMES) + dice.choice(_TITLES),
            phone=phone,
            card=f"{0xD15B0000_0000 + seed % 1000 * 100_000 + number:016X}" if has_card else None,
            printed_card=f"89{seed % 1000:03d}{number:09d}" if has_card else "",
            vin=draw_vin(dice),
            plate=f"浙AD{dice.randrange(10_000, 100_000)}",
        )

    def choose(self, dice: Random) -> Customer:
        """Somebody who charges nowhere else now; those who came first come more often."""
        for _ in range(200):
            found = self._all[int(len(self._all) * dice.random() ** 1.3)]
            if not found.busy:
                return found
        return next(one for one in self._all if not one.busy)

    def prepare(self, customer: Customer, station: str, at_ms: int) -> list[Past]:
        """What has to happen before the customer's order: the account, and money on it."""
        lines: list[Past] = []
        if not customer.opened:
            customer.opened = True
            at = from_ms(at_ms - 2 * BEFORE_MS)
            lines.append(PastDriver(at=at, driver=customer.driver, station=station))
        if customer.balance_fen < LEAST_FEN:
            amount = self._dice.choice(RECHARGES_FEN)
            customer.balance_fen += amount
            customer.recharges += 1
            number = f"past-{self._label}-{customer.driver.phone}-{customer.recharges}"
            at = from_ms(at_ms - BEFORE_MS)
            lines.append(PastRecharge(at=at, phone=customer.driver.phone, number=number, amount_fen=amount))
        return lines
