"""The demo's customers: recharge when low, start where a car is plugged in, and tell what became of each order.

Some start by card or by their car instead, at the simulator's piles: their purses are filled too.
"""

from random import Random
from threading import Event, Thread

from evcs.contracts.states import OPEN_ORDER, GunState, OrderState
from evcs.runtime.clock import Clock
from evcs.runtime.health import OK, Health, degraded
from evcs.runtime.log import get_logger
from webapi.demo.client import ApiAway, ApiRefused, Client, CustomerSeen, GunSeen
from webapi.demo.goals import draw_goal

log = get_logger()

ROUND_S = 1.0
ORDERS_A_ROUND = 2
"""A modest rate: at most so many starts a second."""
AGAIN_S = 20.0
"""A gun at which a start was refused is tried again after this; the car may still be there."""
LOW_FEN = 5_000
RECHARGES_FEN = (10_000, 15_000, 20_000, 30_000)
PURSES_S = 15.0
"""From one look into all purses to the next."""
ALARMING_ROUNDS = 30


class Drive:
    """A thread that goes round until it is stopped; what is away is tried again."""

    def __init__(self, client: Client, clock: Clock, dice: Random, stopping: Event, failed: Event) -> None:
        self._client = client
        self._clock = clock
        self._dice = dice
        self._stopping = stopping
        self._failed = failed
        self._open: dict[str, tuple[str, int]] = {}
        self._not_before: dict[tuple[str, int], float] = {}
        self._purses_at = float("-inf")
        self._away_rounds = 0
        self._thread = Thread(target=self._run, name="drive")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call being made."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def health(self) -> Health:
        """Whether the API answers."""
        return degraded("the API does not answer") if self._away_rounds >= ALARMING_ROUNDS else OK

    def _run(self) -> None:
        try:
            self._go_round()
        except Exception as error:
            # What nobody expected ends the process, which is started anew; a thread that just ends would go unseen.
            log.error("demo_failed", reason=f"{type(error).__name__}: {error}", exc_info=error)
            self._failed.set()

    def _go_round(self) -> None:
        while not self._stopping.is_set():
            try:
                self.round()
                self._away_rounds = 0
            except ApiAway as error:
                self._away_rounds += 1
                if self._away_rounds in (1, ALARMING_ROUNDS):
                    log.warning("demo_api_away", why=str(error))
            except ApiRefused as error:
                log.warning("demo_refused", code=error.problem.code, why=error.problem.detail or error.problem.title)
            self._stopping.wait(ROUND_S)

    def round(self) -> None:
        """Look at the guns, start at some, and follow what was started."""
        now = self._clock.monotonic()
        if now - self._purses_at >= PURSES_S:
            self._purses_at = now
            self._fill_purses()
        guns = self._client.guns()
        busy = set(self._open.values())
        for gun in guns:
            if gun.state is not GunState.PLUGGED:
                # Another car, another try.
                self._not_before.pop((gun.pile, gun.gun), None)
        waiting = [
            gun
            for gun in guns
            if gun.state is GunState.PLUGGED
            and (gun.pile, gun.gun) not in busy
            and self._not_before.get((gun.pile, gun.gun), 0.0) <= now
        ]
        self._dice.shuffle(waiting)
        customers = self._client.customers() if waiting else []
        if customers:
            for gun in waiting[:ORDERS_A_ROUND]:
                self._begin(gun, self._dice.choice(customers), now)
        for serial in list(self._open):
            self._follow(serial)

    def _begin(self, gun: GunSeen, customer: CustomerSeen, now: float) -> None:
        place = (gun.pile, gun.gun)
        self._not_before[place] = now + AGAIN_S
        if customer.wallet.available_fen < LOW_FEN:
            self._recharge(customer)
        goal = draw_goal(self._dice)
        try:
            order = self._client.order(customer.id, gun.pile, gun.gun, goal)
        except ApiRefused as error:
            log.info(
                "demo_order_refused",
                pile=gun.pile,
                gun=gun.gun,
                reason=error.problem.code,
                why=error.problem.detail or error.problem.title,
            )
            return
        self._open[order.serial] = place
        log.info("demo_ordered", serial=order.serial, pile=gun.pile, gun=gun.gun, goal=goal.kind.value)

    def _fill_purses(self) -> None:
        """What a running charge holds counts as well: it is a customer's own, and comes back in part."""
        for customer in self._client.customers():
            if customer.wallet.available_fen + customer.wallet.held_fen < LOW_FEN:
                self._recharge(customer)

    def _recharge(self, customer: CustomerSeen) -> None:
        amount = self._dice.choice(RECHARGES_FEN)
        self._client.recharge(customer.id, amount, "示范充值")
        log.info("demo_recharged", customer=customer.id, amount_fen=amount)

    def _follow(self, serial: str) -> None:
        order = self._client.order_of(serial)
        if order.state in OPEN_ORDER:
            return
        del self._open[serial]
        if order.state is OrderState.SETTLED:
            log.info("demo_settled", serial=serial, energy_kwh=str(order.energy_kwh), total_fen=order.total_fen)
        elif order.refusal is not None:
            log.info(
                "demo_not_charged",
                serial=serial,
                state=order.state.value,
                reason=order.refusal.code,
                why=order.refusal.zh,
            )
        else:
            log.info("demo_order_ended", serial=serial, state=order.state.value)
