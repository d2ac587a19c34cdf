"""Pure: one gun's charge records and their confirmation."""

from bridge.gun_bms import GunBms
from bridge.gun_voice import GunVoice
from bridge.moment import Moment
from bridge.words import RecordConfirmed, RecordSaid
from evcs.contracts.gun import ChargeRecord, GunEventKind, RecordConfirm
from evcs.contracts.states import StopClass
from evcs.contracts.topics import RECORD
from evcs.contracts.waits import RECORD_S

RECORDS_REMEMBERED = 16


class GunRecords:
    """Publishes each record that comes, says once why each charge ended, and writes 0x40 only when told to."""

    __slots__ = ("_bms", "_told", "_unexplained", "_voice")

    def __init__(self, voice: GunVoice, bms: GunBms) -> None:
        self._voice = voice
        self._bms = bms
        self._told: tuple[str, ...] = ()
        """Serials whose end was told with their record."""
        self._unexplained: dict[str, float] = {}
        """Serials whose end was seen, and when their record ought to have come."""

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

    def ended(self, serial: str | None, now: Moment) -> None:
        """The end of a charge was seen; its record says why, as a rule within 30 s."""
        if serial is not None and serial not in self._told:
            self._unexplained[serial] = now.mono + RECORD_S

    def stopped(self, said: RecordSaid, now: Moment) -> None:
        """The record of a charge that is over: told once, however often it comes."""
        self._unexplained.pop(said.serial, None)
        if said.serial in self._told:
            return
        self._told = (*self._told, said.serial)[-RECORDS_REMEMBERED:]
        stop_class = said.stop_class
        if stop_class is StopClass.UNKNOWN:
            stop_class = self._bms.stop_class(said.serial) or stop_class
        self._voice.event(
            GunEventKind.STOPPED,
            now,
            serial=said.serial,
            pile_code=said.stop_code,
            stop_class=stop_class,
            vin=said.vin or None,
        )

    def publish(self, record: ChargeRecord) -> None:
        """Each time that it comes: the worker knows repetitions."""
        self._voice.voice.publish(RECORD, record, self._voice.number)

    def confirm(self, confirm: RecordConfirm, now: Moment) -> None:
        """The record is stored: 0x40 goes out, and the worker is told that it did."""
        if self._voice.tell(RecordConfirmed(confirm.serial, confirm.result)):
            self._voice.event(GunEventKind.CONFIRM_SENT, now, event_id=confirm.id, serial=confirm.serial)

    def tick(self, now: Moment) -> None:
        """Ends whose record does not come are told with what car or charger said."""
        for serial in [serial for serial, until in self._unexplained.items() if now.mono >= until]:
            del self._unexplained[serial]
            stop_class = self._bms.stop_class(serial) or StopClass.UNKNOWN
            self._voice.event(GunEventKind.STOPPED, now, serial=serial, stop_class=stop_class)

    def due(self) -> float | None:
        """Monotonic time at which `tick` has something to do."""
        return min(self._unexplained.values()) if self._unexplained else None
