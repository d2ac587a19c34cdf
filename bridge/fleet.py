"""The piles of this bridge by number: who holds one, who replaces whom, and to whom a command goes."""

from collections.abc import Iterable
from typing import Protocol

from bridge.actions import Action, CloseReason, Note, Publish
from bridge.dialect import Dialect
from bridge.elsewhere import Elsewhere, Hold
from bridge.link import LetIn, Link, TurnedAway
from bridge.login import Login, Refused, judge
from bridge.moment import Moment
from bridge.pile import Pile
from bridge.quarantine import Quarantine
from bridge.tally import Tally
from bridge.voice import BridgeRun
from bridge.words import LoginSaid
from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.config import PileConfig, TariffTable
from evcs.contracts.gun import RecordConfirm, Start, Stop
from evcs.contracts.pile import PileCommand, PileStatus, PowerAllowance
from evcs.contracts.reasons import Reason
from evcs.contracts.session import SessionLevel
from evcs.contracts.topics import UNKNOWN_PILE
from evcs.runtime.log import get_logger

log = get_logger()

REFUSAL_TOLD_EVERY_S = 60.0
"""A refused login of a known pile is an event at most so often; a pile tries again every 30 s."""


class Connection(Protocol):
    """What the fleet does with a pile's socket."""

    link: Link

    def act(self, actions: Iterable[Action]) -> None:
        """Carry out what the link or its pile wants done."""

    def end(self, reason: CloseReason) -> None:
        """Close it."""


class Outlet(Protocol):
    """Where messages leave."""

    def send(self, message: Publish) -> None:
        """Hand a message to the broker's session."""

    def forget(self, topics: Iterable[str]) -> None:
        """Levels that are somebody else's now: not to be published again."""

    def clear(self, topics: Iterable[str]) -> None:
        """Levels of what is no more: taken away from the broker."""


class Fleet:
    """Knows the configuration, holds the piles, and routes. Does no I/O itself: connections and the outlet do."""

    def __init__(self, run: BridgeRun, dialects: dict[str, Dialect], outlet: Outlet, tally: Tally) -> None:
        self.run = run
        self.piles: dict[str, Pile] = {}
        self.holders: dict[str, Connection] = {}
        self.tally = tally
        self.quarantine = Quarantine()
        self._dialects = dialects
        self._outlet = outlet
        self._configs: dict[str, PileConfig] = {}
        self._tables: dict[str, TariffTable] = {}
        self._sessions: dict[str, tuple[int, float | None]] = {}
        self._statuses: dict[str, int] = {}
        self._elsewhere = Elsewhere()
        self._replaced_last: dict[str, Hold] = {}
        self._due: dict[str, float] = {}
        self._refusal_told: dict[str, float] = {}
        self._logins = 0

    # --- configuration and levels

    def configured(self, config: PileConfig, now: Moment) -> None:
        """A pile's configuration came. Another station, kind or set of guns makes it another pile: it logs in anew."""
        known = self._configs.get(config.pile)
        if known is not None and config.version <= known.version:
            return
        if config.protocol not in self._dialects:
            log.warning("protocol_unknown", pile=config.pile, protocol=config.protocol)
            return
        self._configs[config.pile] = config
        pile = self.piles.get(config.pile)
        if pile is not None and _is_another(pile.config, config):
            self._retire(pile, CloseReason.CONFIG_CHANGED, now)
            pile = None
        if pile is None:
            pile = Pile(config, self._dialects[config.protocol], self.run, self.tally)
            self.piles[config.pile] = pile
            pile.session_level(*self._sessions.get(config.pile, (-1, None)))
            pile.status_seen(self._statuses.get(config.pile, 0), self._elsewhere.newest_login(config.pile))
        self._act(pile, pile.configured(config, self._table_of(config), now), now)

    def config_of(self, number: str) -> PileConfig | None:
        """A pile's newest configuration; None: no pile that anybody named."""
        return self._configs.get(number)

    def unconfigured(self, number: str, now: Moment) -> None:
        """A pile's configuration was taken away: it is none of ours any more."""
        self._configs.pop(number, None)
        pile = self.piles.get(number)
        if pile is not None:
            self._retire(pile, CloseReason.CONFIG_CHANGED, now)

    def _retire(self, pile: Pile, reason: CloseReason, now: Moment) -> None:
        holder = self.holders.pop(pile.number, None)
        if holder is not None:
            holder.act(holder.link.lost(str(reason), now))
            holder.end(reason)
        del self.piles[pile.number]
        self._outlet.clear(pile.level_topics())

    def tariff(self, table: TariffTable, now: Moment) -> None:
        """A tariff's table came; a version never changes."""
        if table.tariff_version in self._tables:
            return
        self._tables[table.tariff_version] = table
        for pile in self.piles.values():
            wanted = pile.config.wanted_tariff
            if wanted is not None and wanted.version == table.tariff_version:
                self._act(pile, pile.configured(pile.config, table, now), now)

    def _table_of(self, config: PileConfig) -> TariffTable | None:
        return None if config.wanted_tariff is None else self._tables.get(config.wanted_tariff.version)

    def session(self, level: SessionLevel) -> None:
        """What `rules` holds for a gun: the allowance of its pile, last sent or else last confirmed."""
        sent = level.allowance_sent_kw
        allowance_kw = sent if sent is not None else level.allowance_confirmed_kw
        known = self._sessions.get(level.pile)
        if known is None or level.version > known[0]:
            self._sessions[level.pile] = (level.version, allowance_kw)
            pile = self.piles.get(level.pile)
            if pile is not None:
                pile.session_level(level.version, allowance_kw)

    def foreign_bridge(self, status: BridgeStatus) -> None:
        """Another bridge says that it is there, or its last will that it is not."""
        self._elsewhere.bridge_said(status)

    def foreign_status(self, status: PileStatus, now: Moment) -> None:
        """Another bridge's word on a pile: that one holds it, or ours is said again."""
        self._statuses[status.pile] = max(status.version, self._statuses.get(status.pile, 0))
        hold = self._elsewhere.pile_said(status)
        pile = self.piles.get(status.pile)
        if pile is None:
            return
        pile.status_seen(status.version, self._elsewhere.newest_login(status.pile))
        if pile.login is None:
            if status.online:
                self._outlet.forget(pile.level_topics())
        elif hold is not None and hold.outranks(self._hold(pile, pile.login)):
            self._concede(pile, now)
        else:
            self._elsewhere.taken(pile.number)
            replaced = [] if hold is None else self._replaced(pile, hold, now)
            self._act(pile, [*replaced, *pile.status_again(now)], now)

    def _hold(self, pile: Pile, login: Login) -> Hold:
        return Hold(self.run.bridge, pile.login_ms, login.proof, login.link, login.address)

    def _concede(self, pile: Pile, now: Moment) -> None:
        """The pile is another bridge's: its link here is closed, and its levels are that one's."""
        holder = self.holders.pop(pile.number)
        self._outlet.forget(pile.level_topics())
        holder.link.detach()
        self._perform(pile.held_elsewhere(now))
        holder.end(CloseReason.HELD_ELSEWHERE)

    def offline_after_restart(self, statuses: Iterable[PileStatus], now: Moment) -> int:
        """Say offline for piles that an earlier run of this bridge left as online; returns how many.

        One that is held by now (a broker that came back with an old store) is said again instead.
        """
        count = 0
        for status in statuses:
            pile = self.piles.get(status.pile)
            if pile is None:
                continue
            if pile.login is not None:
                pile.status_seen(status.version, 0)
                self._act(pile, pile.status_again(now), now)
            elif status.online:
                self._act(pile, pile.offline_after_restart(status, now), now)
                count += 1
        return count

    # --- logins

    def gate(self, said: LoginSaid, address: str, frame: bytes, now: Moment) -> LetIn | TurnedAway:
        """Decide on a login (pure rule in `login`), with what else follows from it."""
        pile = self.piles.get(said.pile)
        held = None if pile is None else self._held(pile)
        decision = judge(said, None if pile is None else pile.config, address, None if held is None else held.proof)
        if pile is None or isinstance(decision, Refused):
            reason = decision.reason if isinstance(decision, Refused) else Reason.PILE_UNKNOWN
            self.tally.logins[str(reason)] += 1
            return TurnedAway(tuple(self._refusal(said, reason, pile, address, frame, now)))
        self.tally.logins["accepted"] += 1
        self._logins += 1
        others = [] if held is None else self._replaced(pile, held, now)
        self._elsewhere.taken(said.pile)
        link = f"{self.run.started_ms:x}-{self._logins}"
        return LetIn(pile, link, decision.proof, tuple(others))

    def _held(self, pile: Pile) -> Hold | None:
        """Who holds a pile now, here or at another bridge that lives."""
        return self._hold(pile, pile.login) if pile.login is not None else self._elsewhere.holder(pile.number)

    def _replaced(self, pile: Pile, older: Hold, now: Moment) -> list[Action]:
        """A newer login took the pile over: one event, also where the older one is heard of only later."""
        if self._replaced_last.get(pile.number) == older:
            return []
        self._replaced_last[pile.number] = older
        where = older.bridge if older.bridge != self.run.bridge else ""
        return pile.connection_replaced(older.link, older.address, now, where)

    def _refusal(
        self, said: LoginSaid, reason: Reason, pile: Pile | None, address: str, frame: bytes, now: Moment
    ) -> list[Action]:
        note = Note("login_refused", (("pile", said.pile), ("address", address), ("reason", str(reason))), True)
        if pile is None:
            unknown = self.quarantine.take(said.pile, address, str(reason), (frame,), now)
            if unknown is None:
                return []
            topic = UNKNOWN_PILE.at(bridge=self.run.bridge)
            return [note, Publish(topic, UNKNOWN_PILE.encode(unknown))]
        told = self._refusal_told.get(said.pile)
        if told is not None and now.mono - told < REFUSAL_TOLD_EVERY_S:
            return []
        self._refusal_told[said.pile] = now.mono
        return [note, *pile.login_refused(reason, address, now)]

    def took(self, number: str, connection: Connection) -> None:
        """A connection holds the pile from now on; an older one has nothing to say about it any more."""
        old = self.holders.get(number)
        self.holders[number] = connection
        if old is not None and old is not connection:
            old.link.detach()
            old.end(CloseReason.REPLACED)

    def gone(self, connection: Connection, why: str, now: Moment) -> None:
        """A socket is closed: if it held a pile, the pile is offline."""
        pile = connection.link.pile
        self._perform(connection.link.lost(why, now))
        if pile is not None and self.holders.get(pile.number) is connection:
            del self.holders[pile.number]

    # --- commands

    def start(self, pile: str, gun: int, command: Start, now: Moment) -> None:
        if (mine := self._for_link(pile, command.bridge, command.link)) is not None:
            self._act(mine, mine.start(command, gun, now), now)

    def stop(self, pile: str, gun: int, command: Stop, now: Moment) -> None:
        if (mine := self._for_link(pile, command.bridge, command.link)) is not None:
            self._act(mine, mine.stop(command, gun, now), now)

    def power(self, pile: str, command: PowerAllowance, now: Moment) -> None:
        if (mine := self._for_link(pile, command.bridge, command.link)) is not None:
            self._act(mine, mine.power(command, now), now)

    def command(self, pile: str, command: PileCommand, now: Moment) -> None:
        """Unlike a start, one for a login that is over is answered: nobody else would, and a person waits."""
        mine = self.piles.get(pile) if command.bridge == self.run.bridge else None
        if mine is not None:
            self._act(mine, mine.command(command, now), now)

    def confirm(self, pile: str, gun: int, confirm: RecordConfirm, now: Moment) -> None:
        """A record is stored. No link is named: whoever holds the pile writes 0x40."""
        mine = self.piles.get(pile)
        if mine is None or mine.login is None:
            self.tally.confirms_without_pile += 1
            return
        self._act(mine, mine.confirm(confirm, gun, now), now)

    def _for_link(self, number: str, bridge: str, link: str) -> Pile | None:
        """The pile of a command, where the command is for this bridge and the link that holds it now."""
        pile = self.piles.get(number) if bridge == self.run.bridge else None
        return pile if pile is not None and pile.login is not None and pile.link == link else None

    # --- time

    def tick(self, now: Moment) -> None:
        """Piles without a link: starts that were written run out, hours close. Those with one are ticked by it."""
        for number, pile in self.piles.items():
            if pile.login is None and now.mono >= self._due.get(number, 0.0):
                self._perform(pile.tick(now))
                self._due[number] = pile.due(now)

    # --- effects

    def _act(self, pile: Pile, actions: list[Action], now: Moment) -> None:
        holder = self.holders.get(pile.number)
        if holder is None:
            self._perform(actions)
        else:
            holder.act(holder.link.after(actions, now))

    def _perform(self, actions: Iterable[Action]) -> None:
        """Actions without a connection: there is nobody to send to."""
        for action in actions:
            if isinstance(action, Publish):
                self._outlet.send(action)
            elif isinstance(action, Note):
                tell(action)


def tell(note: Note) -> None:
    """Write a note to the log."""
    write = log.warning if note.is_warning else log.info
    write(note.event, **dict(note.fields))


def _is_another(old: PileConfig, new: PileConfig) -> bool:
    return (old.station, old.kind, old.protocol, [gun.gun for gun in old.guns]) != (
        new.station,
        new.kind,
        new.protocol,
        [gun.gun for gun in new.guns],
    )
