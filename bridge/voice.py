"""Pure: puts what a pile's conversation has to say into frames and messages, with sequence numbers and receipts."""

from dataclasses import dataclass
from typing import Any

from bridge.actions import Action, Note, Publish, Send
from bridge.dialect import Dialect
from bridge.protocols.base import CrcOrder, FrameError
from bridge.receipts import Receipts
from bridge.tally import Drop, Tally
from bridge.words import Told
from evcs.contracts.envelope import Receipt
from evcs.contracts.topics import GUN_STATE, PILE_STATUS, Topic


@dataclass(frozen=True, slots=True)
class BridgeRun:
    """One run of a bridge: who it is and since when (wall ms)."""

    bridge: str
    started_ms: int


class Voice:
    """Collects actions; `take` hands them over. One per pile, over all of its links."""

    __slots__ = ("_next_seq", "_out", "crc_order", "dialect", "link", "pile", "receipts", "run", "station", "tally")

    def __init__(self, run: BridgeRun, station: str, pile: str, dialect: Dialect, tally: Tally) -> None:
        self.run = run
        self.station = station
        self.pile = pile
        self.dialect = dialect
        self.tally = tally
        self.receipts = Receipts(run.bridge, run.started_ms, pile)
        self.crc_order: CrcOrder | None = None
        """In which the pile wants its CRC bytes; None: the protocol's own."""
        self._out: list[Action] = []
        self._next_seq = 0
        self.link = ""
        """Names the newest login: an event says in which it was heard, so that its answer goes to that one alone."""

    def new_link(self, link: str) -> None:
        """Sequence numbers begin at 0 on every connection."""
        self._next_seq = 0
        self.link = link

    def take(self) -> list[Action]:
        """What has come together since the last call, in order."""
        out, self._out = self._out, []
        return out

    def add(self, action: Action) -> None:
        self._out.append(action)

    def note(self, event: str, *, is_warning: bool = False, **fields: object) -> None:
        """A line for the log, with the pile it is about."""
        self._out.append(Note(event, (("pile", self.pile), *fields.items()), is_warning))

    def tell(self, told: Told, answers: bytes | None = None) -> bytes | None:
        """Say something to the pile: as the answer to a frame's sequence bytes, or under a number of our own.

        Returns the sequence bytes that went out; None where the protocol cannot express it (counted and logged).
        """
        seq = answers if answers is not None else self._next_seq.to_bytes(2, "little")
        try:
            encoded = self.dialect.tell(told, seq, self.crc_order)
        except FrameError as error:
            self.tally.drop(Drop.NOT_TOLD)
            self.note("not_told", is_warning=True, what=type(told).__name__, why=str(error))
            return None
        if answers is None:
            self._next_seq = (self._next_seq + 1) & 0xFFFF
        self._out.append(Send(encoded.raw, encoded.code))
        return seq

    def receipt(self, topic: Topic[Any]) -> Receipt:
        """The next receipt of a topic's leaf."""
        return self.receipts.next(topic.leaf)

    def message_id(self, topic: Topic[Any], receipt: Receipt) -> str:
        return self.receipts.message_id(receipt, topic.leaf)

    def message(self, topic: Topic[Any], payload: Any, gun: int = 0) -> Publish:
        """A message of a topic, not yet published."""
        version = payload.version if topic.retained else 0
        droppable = topic.qos == 0
        return Publish(self.at(topic, gun), topic.encode(payload), topic.retained, droppable, version, topic.qos)

    def at(self, topic: Topic[Any], gun: int) -> str:
        """The string of a topic of this pile or one of its guns. What is published for every frame keeps its own."""
        levels: dict[str, str | int] = {"station": self.station, "pile": self.pile}
        if gun:
            levels["gun"] = gun
        return topic.at(**levels)

    def publish(self, topic: Topic[Any], payload: Any, gun: int = 0) -> Publish:
        """Publish a message, and return it for who has to remember it."""
        message = self.message(topic, payload, gun)
        self._out.append(message)
        return message

    def level_topics(self, guns: tuple[int, ...]) -> tuple[str, ...]:
        """The retained topics of this pile, for who has to clear them."""
        where: dict[str, str | int] = {"station": self.station, "pile": self.pile}
        return (PILE_STATUS.at(**where), *(GUN_STATE.at(**where, gun=gun) for gun in guns))
