"""Pure: one gun's charge records and their confirmation."""

from collections import deque

from bridge.gun_voice import GunVoice
from bridge.moment import Moment
from bridge.words import RecordConfirmed, RecordSaid
from evcs.contracts.gun import ChargeRecord, GunEventKind, RecordConfirm
from evcs.contracts.topics import RECORD

RECORDS_REMEMBERED = 16


class GunRecords:
    """Publishes each record that comes, and writes 0x40 only when told that it is stored."""

    def __init__(self, voice: GunVoice) -> None:
        self._voice = voice
        self._told: deque[str] = deque(maxlen=RECORDS_REMEMBERED)

    def message(self, said: RecordSaid, raw: bytes, clock_offset_s: float | None, now: Moment) -> ChargeRecord:
        """The pile's bill as it is published."""
        receipt = self._voice.voice.receipt(RECORD)
        return ChargeRecord(
            id=self._voice.voice.message_id(RECORD, receipt),
            receipt=receipt,
            serial=said.serial,
            pile=self._voice.pile,
            gun=self._voice.number,
            received_at=now.at,
            # A pile without a clock says no time; the frame itself goes along.
            started_at=said.started_at or now.at,
            ended_at=said.ended_at or now.at,
            traded_at=said.traded_at or now.at,
            bands=said.bands,
            register_start_kwh=said.register_start_kwh,
            register_end_kwh=said.register_end_kwh,
            energy_kwh=said.energy_kwh,
            loss_energy_kwh=said.loss_energy_kwh,
            amount_e4=said.amount_e4,
            vin=said.vin,
            card=said.card,
            source=said.source,
            stop_code=said.stop_code,
            stop_class=said.stop_class,
            clock_offset_s=clock_offset_s,
            is_timed=None not in (said.started_at, said.ended_at, said.traded_at),
            frame_hex=raw.hex(),
        )

    def tell_stopped(self, said: RecordSaid, now: Moment) -> None:
        """The event of a charge that is over, once for each serial however often its record comes."""
        if said.serial in self._told:
            return
        self._told.append(said.serial)
        self._voice.event(GunEventKind.STOPPED, now, serial=said.serial, pile_code=said.stop_code, vin=said.vin or None)

    def publish(self, record: ChargeRecord) -> None:
        """Each time that it comes: the worker knows repetitions."""
        self._voice.voice.publish(RECORD, record, self._voice.number)

    def confirm(self, confirm: RecordConfirm, now: Moment) -> None:
        """The record is stored: 0x40 goes out, and the worker is told that it did."""
        if self._voice.tell(RecordConfirmed(confirm.serial, confirm.result)):
            self._voice.event(GunEventKind.CONFIRM_SENT, now, event_id=confirm.id, serial=confirm.serial)
