"""Pure: the talk about one pile's tariff: its questions (YKC 0x05, 0x09), and a table pushed to it (0x58, 0x57)."""

from bridge.moment import Moment
from bridge.pile_level import PileLevel
from bridge.pile_voice import CommandFate, PileVoice
from bridge.tariff_rule import TariffRule
from bridge.words import TariffAnswer, TariffPushAnswered, TariffPushed, TariffTold
from evcs.contracts.config import PileConfig, TariffRef, TariffTable
from evcs.contracts.pile import Outcome, PileEventKind
from evcs.contracts.reasons import Reason


class TariffTalk:
    """What one pile shall have, is told and has confirmed, over all of its links."""

    __slots__ = (
        "_level",
        "_pushed",
        "_rule",
        "_says",
        "_unanswered",
        "wanted_table",
    )

    def __init__(self, config: PileConfig, says: PileVoice, level: PileLevel) -> None:
        self.wanted_table: TariffTable | None = None
        self._rule = TariffRule(config)
        self._says = says
        self._level = level
        self._pushed: TariffRef | None = None
        """Written as 0x58 on this link and not answered yet: what the pile holds is open until then."""
        self._unanswered: TariffRef | None = None
        """Pushed on this link without an answer in time; a late one still says what the pile holds."""
        level.tariff_version = self.confirmed_version

    @property
    def confirmed_version(self) -> str | None:
        """The version that the pile last confirmed; None: no start."""
        return None if self._rule.confirmed is None else self._rule.confirmed.version

    def configured(self, config: PileConfig, table: TariffTable | None) -> None:
        """A new configuration, and the table of the tariff that it wants."""
        self.wanted_table = table
        self._rule.configured(config)

    def link_lost(self) -> None:
        """What was pushed and not answered, the pile will tell by its question after the next login (0x05)."""
        self._pushed = self._unanswered = None

    # --- the pile's questions

    def checked(self, model_no: str, seq: bytes, raw: bytes, now: Moment, *, is_charging: bool) -> None:
        """0x05: the pile names its model."""
        before = self.confirmed_version
        same = self._rule.checked(model_no, is_charging=is_charging)
        told = TariffAnswer(self._says.pile, model_no, same=same is not None)
        if self._says.voice.tell(told, seq) is None:
            return
        if same is not None:
            self._confirmed(same, before, raw, now)
        elif self.confirmed_version != before:
            self._show(now)

    def asked(self, seq: bytes, raw: bytes, now: Moment) -> None:
        """0x09: the pile wants the table."""
        wanted, table = self._rule.wanted, self.wanted_table
        if wanted is None or table is None:
            # It repeats the question until there is an answer, and charges nobody meanwhile.
            self._says.voice.note("tariff_missing", is_warning=True, wanted=wanted.version if wanted else None)
            return
        if self._says.voice.tell(TariffTold(self._says.pile, table), seq) is None:
            return
        before = self.confirmed_version
        self._rule.delivered(wanted)
        self._confirmed(wanted, before, raw, now)

    # --- the platform's push

    @property
    def is_pushing(self) -> bool:
        """Whether a table is on its way, so that nobody knows by which one a charge would begin."""
        return self._pushed is not None

    def push(self, version: str | None) -> TariffPushed | Reason:
        """What to tell for a push of this version; only the wanted one goes out."""
        wanted, table = self._rule.wanted, self.wanted_table
        if wanted is None or wanted.version != version:
            return Reason.TARIFF_NOT_WANTED
        if table is None:
            return Reason.NO_TARIFF
        self._pushed, self._unanswered = wanted, None
        return TariffPushed(self._says.pile, table)

    def push_failed(self, outcome: Outcome) -> None:
        """Not answered in time: the last confirmation stands until the pile says otherwise. Refused: never written."""
        self._unanswered = self._pushed if outcome is Outcome.TIMED_OUT else None
        self._pushed = None

    def push_answered(self, said: TariffPushAnswered, raw: bytes, now: Moment) -> CommandFate:
        """0x57."""
        ref = self._pushed or self._unanswered
        self._pushed = self._unanswered = None
        if ref is None:
            return CommandFate(Outcome.REFUSED, Reason.PILE_REFUSED, pile_code=said.code)
        if not said.ok:
            self._says.event(PileEventKind.TARIFF_REFUSED, now, tariff_version=ref.version, frame_hex=raw.hex())
            return CommandFate(
                Outcome.REFUSED,
                Reason.PILE_REFUSED,
                pile_code=said.code,
                zh="充电桩未接受计费模型",
                en="the pile did not take the tariff",
                tariff_version=self.confirmed_version,
            )
        before = self.confirmed_version
        self._rule.delivered(ref)
        self._confirmed(ref, before, raw, now)
        return CommandFate(Outcome.ACCEPTED, tariff_version=ref.version)

    def answered_late(self, said: TariffPushAnswered, raw: bytes, now: Moment) -> bool:
        """0x57 that answers no command any more: no reply is owed, but the pile has said what it holds.

        False where nothing was pushed on this link.
        """
        if self._unanswered is None:
            return False
        self.push_answered(said, raw, now)
        return True

    def _confirmed(self, ref: TariffRef, before: str | None, raw: bytes, now: Moment) -> None:
        self._says.event(PileEventKind.TARIFF_CONFIRMED, now, tariff_version=ref.version, frame_hex=raw.hex())
        if before != ref.version:
            self._show(now)

    def _show(self, now: Moment) -> None:
        self._level.tariff_version = self.confirmed_version
        self._level.publish(now)
