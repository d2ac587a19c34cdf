"""A whole platform for one scenario: real broker and database, every service a process of its own, piles over TCP."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from bridge.simulator.link import SimulatedPile
from bridge.simulator.options import PileOptions
from evcs.contracts import topics
from evcs.contracts.states import GunState
from evcs.contracts.times import SLOT
from tests.flows import forks
from tests.flows.observer import Observer
from tests.flows.processes import Service
from tests.flows.town import PASSWORD, Town
from tests.servers import Broker, free_port

SERVICES = ("webapi.worker", "rules", "ingest", "bridge", "webapi")

ONE_PRICE = timedelta(minutes=4)
"""How far from the next price a scenario begins that shall see one."""
AFTER_EDGE = timedelta(seconds=60)

LIVELY = PileOptions(
    energy_factor=60,
    speed=15,
    start_delay_s=(0.2, 0.4),
    ramp_s=0.5,
    stop_s=0.2,
    record_delay_s=0.2,
    resend_s=(0, 2, 4, 6, 8, 10, 15, 20, 30, 40, 60),
    reconnect_s=(0.2, 1.0),
    cold_share=0,
    manual_stop_share=0,
)
"""A pile that brings 60 times the energy and reports every second, so that a charge takes seconds, not hours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status and JSON body."""

    status: int
    body: dict[str, Any]


class Platform:
    """The running platform and the hands of a test on it."""

    def __init__(self, broker: Broker, database_url: str, folder: Path, town: Town) -> None:
        self.broker = broker
        self.database_url = database_url
        self.town = town
        self.folder = folder
        self.bridge_port = free_port()
        self.http_port = free_port()
        self.offset_file = folder / "clock-offset"
        self.store_url = f"sqlite:///{folder / 'telemetry.db'}"
        environment = {
            "EVCS_MQTT_HOST": "127.0.0.1",
            "EVCS_MQTT_PORT": str(broker.port),
            "EVCS_DATABASE_URL": database_url,
            "EVCS_STORE_URL": self.store_url,
            "EVCS_BRIDGE_HOST": "127.0.0.1",
            "EVCS_BRIDGE_PORT": str(self.bridge_port),
            "EVCS_HTTP_HOST": "127.0.0.1",
            "EVCS_HTTP_PORT": str(self.http_port),
            # A scenario looks every few milliseconds where a person looks every second.
            "EVCS_HTTP_READS_PER_MIN": "0",
            "EVCS_VAR": str(folder),
            "EVCS_CLOCK_OFFSET_FILE": str(self.offset_file),
            "EVCS_LOG_FORMAT": "json",
        }
        self.services = {module: Service(module, environment, folder / f"{module}.log") for module in SERVICES}
        self.observer = Observer(broker.port)
        self._http = requests.Session()
        self._base = f"http://127.0.0.1:{self.http_port}"
        self._piles: list[tuple[SimulatedPile, asyncio.Task[None]]] = []

    # -- processes -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every service, sign in, and await that starts are weighed."""
        forks.prepare(*SERVICES)
        for service in self.services.values():
            service.start()
        await self.http_ready()
        await self.sign_in()
        await self.engine_sure()

    async def close(self) -> None:
        """End piles, services and the observer."""
        for _, task in self._piles:
            task.cancel()
        await asyncio.gather(*(task for _, task in self._piles), return_exceptions=True)
        await asyncio.gather(*(asyncio.to_thread(service.stop) for service in self.services.values()))
        self.observer.close()

    def restart(self, module: str) -> None:
        """Kill a service without mercy and start it again."""
        self.services[module].kill()
        self.services[module].start()

    def advance(self, seconds: float) -> None:
        """Move the wall clock of every service forward, from now on."""
        already = float(self.offset_file.read_text()) if self.offset_file.exists() else 0.0
        fresh = self.offset_file.with_suffix(".new")
        fresh.write_text(str(already + seconds))
        fresh.replace(self.offset_file)

    def logs(self) -> str:
        """The end of every service's log."""
        return "\n".join(f"--- {name}\n{service.tail()}" for name, service in self.services.items())

    # -- HTTP ----------------------------------------------------------------------------------------------------

    async def http_ready(self, within_s: float = 90.0) -> None:
        """Await the HTTP process."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                if (await asyncio.to_thread(self._http.get, self._base + "/healthz", timeout=2)).status_code < 500:
                    return
            except requests.RequestException:
                pass
            assert time.monotonic() < deadline, "no HTTP:\n" + self.services["webapi"].tail()
            await asyncio.sleep(0.05)

    async def engine_sure(self, within_s: float = 60.0) -> None:
        """Await that rules is sure of its stations: before that it refuses every start, and says so."""
        rules, deadline = self.services["rules"], time.monotonic() + within_s
        while not rules.events("sure"):
            assert time.monotonic() < deadline, "rules is not sure:\n" + rules.tail()
            await asyncio.sleep(0.02)  # it tells its log alone

    async def sign_in(self, username: str = "operator") -> None:
        """Sign in as somebody; later calls carry the session and its CSRF token."""
        answer = await self.call("POST", "/sign-in", {"username": username, "password": PASSWORD})
        assert answer.status == 200, answer
        self._http.headers["X-CSRF-Token"] = answer.body["csrf_token"]

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> Answer:
        """One call of the API; `key` is the idempotency key, a new one unless given."""
        headers = {} if method == "GET" else {"Idempotency-Key": key or uuid.uuid4().hex}
        url = f"{self._base}/api/v1{path}"

        def send() -> Answer:
            response = self._http.request(method, url, json=body, headers=headers, timeout=15)
            return Answer(response.status_code, response.json() if response.content else {})

        return await asyncio.to_thread(send)

    async def recharge(self, amount_fen: int, customer: int | None = None) -> Answer:
        customer = customer or self.town.customer
        answer = await self.call(
            "POST",
            f"/customers/{customer}/recharges",
            {"amount_fen": amount_fen, "reason": "现金充值", "voucher": f"收据 {uuid.uuid4().hex[:8]}"},
        )
        assert answer.status == 201, answer
        return answer

    async def order(self, pile: str, gun: int, goal: dict[str, Any], *, key: str | None = None) -> Answer:
        return await self.call(
            "POST",
            "/orders",
            {"customer_id": self.town.customer, "pile": pile, "gun": gun, "goal": goal},
            key=key,
        )

    async def order_until(
        self, serial: str, want: Callable[[dict[str, Any]], bool], within_s: float = 30.0
    ) -> dict[str, Any]:
        """The order's detail as soon as it is wanted; each change of an order is announced on MQTT."""
        deadline = time.monotonic() + within_s
        while True:
            seen = self.observer.count
            body = (await self.call("GET", f"/orders/{serial}")).body
            if want(body):
                return body
            left = deadline - time.monotonic()
            assert left > 0, f"order is {body}\n{self.logs()}"
            with contextlib.suppress(AssertionError):
                await asyncio.to_thread(
                    self.observer.wait,
                    topics.ORDER,
                    lambda change: change.serial == serial,
                    after=seen,
                    timeout=min(left, 1.0),
                )

    # -- piles ---------------------------------------------------------------------------------------------------

    async def pile(self, number: str, *, guns: int = 2, options: PileOptions = LIVELY, seed: int = 1) -> SimulatedPile:
        """A pile that is logged in, has its tariff, and that the platform shows online with it."""
        pile = SimulatedPile("127.0.0.1", self.bridge_port, number, guns, seed, options=options)
        self._piles.append((pile, asyncio.create_task(pile.run())))
        await pile.online(within_s=75)
        await self.wait(topics.PILE_STATUS, lambda s: s.pile == number and s.online and s.tariff_version is not None)
        await self._ordered_by_tariff(number)
        return pile

    async def _ordered_by_tariff(self, number: str) -> None:
        """Await that the pile's row knows the tariff that it confirmed: the worker publishes it as configuration."""
        await self.wait(topics.CONFIG_PILE, lambda c: c.pile == number and c.confirmed_tariff is not None)

    async def plugged(self, pile: SimulatedPile, gun: int, need_kwh: float = 40) -> None:
        """Plug a car in and await that the platform knows it."""
        seen = self.observer.count
        pile.plug(gun, need_kwh=need_kwh)
        await self.wait(
            topics.GUN_STATE,
            lambda level: level.pile == pile.number and level.gun == gun and level.state is GunState.PLUGGED,
            after=seen,
        )

    async def wait(
        self, topic: topics.Topic[Any], want: Callable[[Any], bool], *, after: int = 0, within_s: float = 30.0
    ) -> Any:
        """The first wanted message of a topic since message number `after`."""
        try:
            _, payload = await asyncio.to_thread(self.observer.wait, topic, want, after=after, timeout=within_s)
        except AssertionError as missing:
            raise AssertionError(f"{missing}\n{self.logs()}") from missing
        return payload


def to_one_price(now: datetime) -> float:
    """By how many seconds to move a clock so that no price changes within a scenario."""
    left = SLOT - (now - datetime.min.replace(tzinfo=UTC)) % SLOT
    return (left + AFTER_EDGE).total_seconds() if left < ONE_PRICE else 0.0


@contextlib.asynccontextmanager
async def running(
    broker: Broker, database_url: str, folder: Path, town: Town, *, one_price: bool = False
) -> AsyncIterator[Platform]:
    """A platform that runs, and is gone afterwards; with `one_price` it begins where no price changes for a while.

    Its clock is moved before any service looks at it: each sees a move when it looks next, and a pile that logs in
    meanwhile is given the old time.
    """
    platform = Platform(broker, database_url, folder, town)
    if one_price:
        platform.advance(to_one_price(datetime.now(UTC)))
    try:
        await platform.start()
        yield platform
    finally:
        await platform.close()
