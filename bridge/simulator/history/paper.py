"""What a past charge leaves behind as contract types: its record with a true frame, what the pile answered."""

from datetime import datetime

from bridge.protocols.ykc import framing
from bridge.protocols.ykc.messages import ChargeRecord as RecordFrame
from bridge.protocols.ykc.translate.record import HEAR
from bridge.words import RecordSaid
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import ChargeRecord, GunReply
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.times import from_ms

BRIDGE = "history"
"""Who received it all: no bridge that runs."""


class Paper:
    """Of one pile: its receipts count up, its frames are numbered."""

    def __init__(self, started_ms: int) -> None:
        self._started_ms = started_ms
        self._n = 0
        self._seq = 0

    def receipt(self) -> Receipt:
        """The next one."""
        self._n += 1
        return Receipt(bridge=BRIDGE, started_ms=self._started_ms, n=self._n)

    def record(self, frame: RecordFrame, received_ms: int) -> ChargeRecord:
        """The bill as the bridge would have published it, said by the frame itself."""
        self._seq = (self._seq + 1) & 0xFFFF
        body = frame.encode()
        raw = framing.pack(frame.code, self._seq, body)
        said = HEAR[type(frame)](type(frame).decode(body))
        assert isinstance(said, RecordSaid)
        at = from_ms(received_ms)
        return ChargeRecord(
            id=f"{BRIDGE}-{said.serial}",
            receipt=self.receipt(),
            serial=said.serial,
            pile=said.pile,
            gun=said.gun,
            received_at=at,
            started_at=said.started_at or at,
            ended_at=said.ended_at or at,
            traded_at=said.traded_at or at,
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
            clock_offset_s=0.0,
            frame_hex=raw.hex(),
        )

    def reply(self, serial: str, at: datetime, *, accepted: bool) -> GunReply:
        """What the pile answered to the start: 0x33, refused with fault of the device (3) where it failed."""
        return GunReply(
            id=f"{BRIDGE}-start-{serial}",
            receipt=self.receipt(),
            serial=serial,
            command="start",
            outcome=Outcome.ACCEPTED if accepted else Outcome.REFUSED,
            reason=None if accepted else Reason.PILE_REFUSED,
            pile_code=None if accepted else 3,
            pile_text_zh="" if accepted else "设备故障",
            pile_text_en="" if accepted else "device fault",
            received_at=at,
        )
