"""What becomes of a charge record at the pile: filed, held back, spoiled, confirmed, and said once more differently."""

from bridge.protocols.ykc.codes import RecordResult
from bridge.protocols.ykc.messages import ChargeRecord, RecordConfirmation
from bridge.simulator.core import Core
from bridge.simulator.troubles import Trouble
from bridge.simulator.wrong import changed, wrong_sums, wrong_tiers, wrong_times

REORDER_MS = 600_000
"""A record that waits for the next charge waits no longer than this."""
SAID_AGAIN_S = 30.0

_SPOILERS = (
    (Trouble.RECORD_SUMS, wrong_sums),
    (Trouble.RECORD_TIERS, wrong_tiers),
    (Trouble.RECORD_TIMES, wrong_times),
)


class Bookkeeping:
    """The records of a pile with the troubles that befall them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: str | None = None

    def file(self, record: ChargeRecord, now_ms: int) -> None:
        """A session ended: its record is due soon, unless something comes between."""
        core, troubles = self._core, self._core.troubles
        if troubles.happens(Trouble.LOSE_RECORD):
            return
        for trouble, spoil in _SPOILERS:
            if troubles.happens(trouble):
                record = spoil(record)
        due_ms = now_ms + round(core.options.record_delay_s * 1000)
        held_ms = 0
        if troubles.happens(Trouble.RECORD_LATE):
            late_s = troubles.dice.uniform(*core.options.late_s) / core.options.speed
            held_ms = now_ms + round(late_s * 1000)
        reordered = troubles.happens(Trouble.RECORD_REORDERED)
        if reordered:
            held_ms = max(held_ms, now_ms + REORDER_MS)
        core.records.add(record, max(due_ms, held_ms), held_until_ms=held_ms)
        if self._waiting is not None:
            core.records.let_go(self._waiting, max(due_ms, held_ms) + 1)
        self._waiting = record.trade_no if reordered else None

    def send_due(self, now_ms: int) -> None:
        """0x3B of what is due."""
        core = self._core
        if not core.logged_in:
            return
        for record in core.records.take_due(now_ms):
            for _ in range(2 if core.troubles.happens(Trouble.RECORD_TWICE) else 1):
                core.send(record)

    def confirmed(self, message: RecordConfirmation, now_ms: int) -> None:
        """0x40."""
        core = self._core
        if core.troubles.happens(Trouble.IGNORE_CONFIRMATION):
            return
        record = core.records.confirmed(message.trade_no, stored=message.result == RecordResult.STORED)
        if record is not None and record.total_kwh > 0 and core.troubles.happens(Trouble.RECORD_CHANGED):
            core.records.add(changed(record), now_ms + round(SAID_AGAIN_S * 1000))
