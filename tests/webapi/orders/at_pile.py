"""A driver at the pile, for tests: cards and cars of customers, and the bridge's events about them."""

from datetime import timedelta

from evcs.contracts import topics
from evcs.contracts.gun import CardMode, CardRequest, GunEvent, GunEventKind, Joint
from evcs.contracts.pile import PileCommand, PileCommandKind
from evcs.contracts.states import GunState
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, STATION, Books
from tests.webapi.orders.test_place import sent
from tests.webapi.said import AT_GUN, AT_PILE, at, bridge, level, pile, receipt
from webapi.cards.bind import NewCard, NewVehicle, bind_card, bind_vehicle
from webapi.cards.models import Card, CardAttempt, Vehicle
from webapi.customers.models import Customer
from webapi.guns.events import gun_level
from webapi.orders import events
from webapi.orders.models import Order
from webapi.piles.events import bridge_status, pile_status

UID = "00000000D14B0A54"
VIN = "LSVAU2180N2183294"
LINK = "b1-7-1764000000"
AT_GUN_2 = Address(station=STATION, pile=PILE, gun=2)


class AtPile:
    """A logged-in pile with a customer of 300 yuan; messages at given seconds."""

    def __init__(self, books: Books, recharged_fen: int = 30_000) -> None:
        self.books = books
        self.session = books.session
        bridge_status(self.session, Address(bridge="b1"), bridge(), BEGIN)
        pile_status(self.session, AT_PILE, pile(), BEGIN)
        gun_level(self.session, AT_GUN, level(GunState.PLUGGED, 1), BEGIN)
        self.customer = books.customer(recharged_fen=recharged_fen)

    def card(self, uid: str = UID, *, pin: str | None = None, customer: Customer | None = None) -> Card:
        new = NewCard(uid=uid, printed_no="8800000000000042", pin=pin)
        card = bind_card(self.session, customer or self.customer, new, at=BEGIN)
        assert card is not None
        return card

    def vehicle(self, *, plug_and_charge: bool = True) -> Vehicle:
        new = NewVehicle(vin=VIN, plate="浙A12345", plug_and_charge=plug_and_charge)
        vehicle = bind_vehicle(self.session, self.customer, new, at=BEGIN)
        assert vehicle is not None
        return vehicle

    def ask(
        self,
        *,
        id: str = "e-1",
        mode: CardMode | int = CardMode.CARD,
        card: str = UID,
        vin: str = "",
        password: str = "",
        joint: Joint | None = None,
        gun: int = 1,
        seconds: float = 0,
        heard_s: float | None = None,
        link: str = LINK,
    ) -> CardAttempt:
        """The driver asks at `seconds`; the worker hears of it at `heard_s`. What is kept of it."""
        asked = CardRequest(
            mode=mode,
            card=card if mode is CardMode.CARD else "0" * 16,
            vin=vin,
            password=password,
            joint=joint,
            expires_at=at(seconds) + timedelta(seconds=10),
        )
        event = GunEvent(
            id=id,
            receipt=receipt(),
            kind=GunEventKind.CARD_REQUEST,
            received_at=at(seconds),
            link=link,
            card_request=asked,
        )
        address = AT_GUN if gun == 1 else AT_GUN_2
        events.gun_event(self.session, address, event, at(seconds if heard_s is None else heard_s))
        self.session.flush()
        return self.session.get_one(CardAttempt, id)

    def order(self, attempt: CardAttempt) -> Order:
        assert attempt.order_serial is not None, attempt.reason
        return self.session.get_one(Order, attempt.order_serial)

    def told(self) -> list[PileCommand]:
        """Refusals that piles were told."""
        return [one for one in sent(self.session, topics.PILE_COMMAND) if one.kind is PileCommandKind.REFUSE_CARD]

    @property
    def wallet(self) -> tuple[int, int, int]:
        return self.books.wallet(self.customer)
