"""The demo's way to the API: the public HTTP interface and nothing else."""

import http.cookiejar
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from threading import Event
from typing import TypeVar
from uuid import uuid4

import msgspec

from evcs.contracts.gun import Goal
from evcs.contracts.states import GunState, OrderState
from webapi.demo.sign_in_file import SignIn

T = TypeVar("T")

TIMEOUT_S = 15.0
TRIES = 5
RETRY_S = 1.0


class WalletSeen(msgspec.Struct, frozen=True):
    """Balances in fen."""

    available_fen: int
    held_fen: int
    debt_fen: int


class CustomerSeen(msgspec.Struct, frozen=True):
    """A customer."""

    id: int
    name: str
    wallet: WalletSeen


class GunSeen(msgspec.Struct, frozen=True):
    """A gun as the list shows it."""

    pile: str
    gun: int
    state: GunState


class WhySeen(msgspec.Struct, frozen=True):
    """A reason with its sentence."""

    code: str
    zh: str


class OrderSeen(msgspec.Struct, frozen=True):
    """An order."""

    serial: str
    state: OrderState
    pile: str
    gun: int
    total_fen: int
    energy_kwh: Decimal | None = None
    refusal: WhySeen | None = None


class _Page(msgspec.Struct, frozen=True):
    items: msgspec.Raw
    next: str | None = None


class _Session(msgspec.Struct, frozen=True):
    csrf_token: str


class ProblemSeen(msgspec.Struct, frozen=True):
    """A problem as the API told it."""

    code: str
    title: str
    status: int
    detail: str = ""


class ApiAway(Exception):
    """Nobody answers, or only that it is busy: try again later."""


class ApiRefused(Exception):
    """The API said no, and why."""

    def __init__(self, problem: ProblemSeen) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail or problem.title}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API is."""

    host: str
    port: int

    @property
    def base(self) -> str:
        """Address without a path; an address that means "every interface" is reached by the loopback."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


class Client:
    """A console user's session: cookie and CSRF token, signed in again when it has ended."""

    def __init__(self, endpoint: Endpoint, sign_in: SignIn, stopping: Event) -> None:
        self._base = endpoint.base + "/api/v1"
        self._sign_in = sign_in
        self._stopping = stopping
        self._csrf: str | None = None
        # No proxy of the environment: the API is on this machine or in this network.
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        ).open

    def guns(self) -> list[GunSeen]:
        """Every gun with its state."""
        return self._all("/guns", list[GunSeen])

    def customers(self) -> list[CustomerSeen]:
        """Every customer with the wallet."""
        return self._all("/customers", list[CustomerSeen])

    def recharge(self, customer: int, amount_fen: int, reason: str) -> None:
        """Put money on a wallet."""
        self._post(f"/customers/{customer}/recharges", {"amount_fen": amount_fen, "reason": reason})

    def order(self, customer: int, pile: str, gun: int, goal: Goal) -> OrderSeen:
        """Place an order."""
        wish = {name: value for name, value in msgspec.to_builtins(goal).items() if value is not None}
        body = {"customer_id": customer, "pile": pile, "gun": gun, "goal": wish}
        return msgspec.json.decode(self._post("/orders", body), type=OrderSeen)

    def order_of(self, serial: str) -> OrderSeen:
        """An order as it is now."""
        return msgspec.json.decode(self._call("GET", f"/orders/{serial}"), type=OrderSeen)

    def _all(self, path: str, kind: type[list[T]]) -> list[T]:
        found: list[T] = []
        cursor = ""
        while True:
            page = msgspec.json.decode(self._call("GET", f"{path}?limit=200{cursor}"), type=_Page)
            found += msgspec.json.decode(page.items, type=kind)
            if page.next is None:
                return found
            cursor = f"&cursor={page.next}"

    def _post(self, path: str, body: object) -> bytes:
        """A deed under a key of its own: however often it is repeated, it is done once."""
        key = uuid4().hex
        for tried in range(TRIES):
            try:
                return self._call("POST", path, body, key)
            except ApiAway:
                if tried == TRIES - 1 or self._stopping.wait(RETRY_S):
                    raise
        raise ApiAway(path)

    def _call(self, method: str, path: str, body: object | None = None, key: str | None = None) -> bytes:
        if self._csrf is None:
            self._enter()
        try:
            return self._send(method, path, body, key)
        except ApiRefused as error:
            if error.problem.status != 401:
                raise
        self._enter()
        return self._send(method, path, body, key)

    def _enter(self) -> None:
        typed = {"username": self._sign_in.username, "password": self._sign_in.password}
        self._csrf = None
        self._csrf = msgspec.json.decode(self._send("POST", "/sign-in", typed, None), type=_Session).csrf_token

    def _send(self, method: str, path: str, body: object | None, key: str | None) -> bytes:
        request = urllib.request.Request(self._base + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if key is not None:
            request.add_header("Idempotency-Key", key)
        if self._csrf is not None:
            request.add_header("X-CSRF-Token", self._csrf)
        try:
            with self._open(request, timeout=TIMEOUT_S) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            told = error.read()
            if error.code in (429, 503):
                raise ApiAway(f"{method} {path}: {error.code}") from error
            try:
                raise ApiRefused(msgspec.json.decode(told, type=ProblemSeen)) from error
            except msgspec.DecodeError:
                raise ApiAway(f"{method} {path}: {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            raise ApiAway(f"{method} {path}: {error}") from error
