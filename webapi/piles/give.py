"""A person tells a pile something over HTTP: what is not visible is not there, the deed or its refusal is audited."""

from http import HTTPStatus

import msgspec

from evcs.contracts.pile import OfflineCard, PileCommandKind
from webapi.audit.record import record
from webapi.cards.models import Card, CardState
from webapi.customers.models import Customer
from webapi.guns.models import Gun
from webapi.http.call import Call
from webapi.http.field_messages import told
from webapi.http.problems import FieldError, invalid, not_found, refused
from webapi.http.serve import Declined, Reply
from webapi.http.smorest import API_PREFIX
from webapi.piles.command_models import Params, PileCommandRow
from webapi.piles.command_queries import command_view
from webapi.piles.command_schemas import MOST_CARDS, CardsWish
from webapi.piles.commands import Wish, issue, params_of
from webapi.piles.models import Pile
from webapi.refusals import Refusal

ACCEPTED = HTTPStatus.ACCEPTED


class Commanded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the audit keeps of a command: no password, and of cards only how many."""

    command: str = ""
    gun: int | None = None
    params: Params = Params()
    cards: int = 0


def visible_pile(call: Call, number: str) -> Pile:
    """A pile that the asker sees."""
    pile = call.session.scalars(call.sees.piles().where(Pile.number == number)).one_or_none()
    if pile is None:
        raise not_found()
    return pile


def give(call: Call, wish: Wish) -> Reply | Declined:
    """Check that pile and gun are there for the asker, and issue the command."""
    pile = visible_pile(call, wish.pile)
    if wish.gun is not None:
        own = call.sees.guns().where(Gun.pile_number == pile.number, Gun.no == wish.gun)
        if call.session.scalars(own).one_or_none() is None:
            raise not_found()
    return answer(call, pile, wish, issue(call.session, wish, at=call.at))


def answer(call: Call, pile: Pile, wish: Wish, given: PileCommandRow | Refusal) -> Reply | Declined:
    """Audit what became of the wish, and show it."""
    kept = params_of(wish)
    row = None if isinstance(given, Refusal) else given
    record(
        call,
        f"pile_{wish.kind.value}",
        outcome=given.reason.value if isinstance(given, Refusal) else "done",
        tenant_id=pile.station.tenant_id,
        station=pile.station_code,
        object_kind="pile",
        object_id=pile.number,
        details=Commanded(
            command="" if row is None else row.id,
            gun=wish.gun,
            params=msgspec.structs.replace(kept if row is None else row.params, cards=()),
            cards=len(kept.cards),
        ),
    )
    if isinstance(given, Refusal):
        return Declined(refused(given))
    return Reply(command_view(given, call.sees), location=f"{API_PREFIX}/commands/{given.id}")


def offline_cards(call: Call, pile: Pile, wish: CardsWish, kind: PileCommandKind) -> tuple[OfflineCard, ...]:
    """The cards by number, and the bound ones of the pile's operator by id.

    To be stored a bound card must be in use and allowed offline; a blocked or unbound one can still be cleared.
    """
    found: dict[int, Card] = {}
    if wish.card_ids:
        query = (
            call.sees.customers()
            .join(Card, Card.customer_id == Customer.id)
            .where(Card.id.in_(wish.card_ids), Card.tenant_id == pile.station.tenant_id)
            .with_only_columns(Card)
        )
        found = {card.id: card for card in call.session.scalars(query)}
    cards = {card.uid: card for card in wish.cards}
    for card_id in wish.card_ids:
        card = found.get(card_id)
        if card is None:
            raise not_found("card_ids")
        if kind is PileCommandKind.CARDS_STORE and not (card.state is CardState.BOUND and card.offline_allowed):
            raise invalid(FieldError("card_ids", told(f"Card {card_id} may not charge offline.")))
        cards[card.uid] = OfflineCard(uid=card.uid, printed_no=card.printed_no)
    return tuple(cards.values())[:MOST_CARDS]
