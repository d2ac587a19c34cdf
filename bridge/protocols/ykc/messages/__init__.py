"""Every declared message of YKC V1.5 / V1.6; importing this fills the registry."""

from bridge.protocols.ykc.messages.base import (
    NO_CARD,
    NO_TRADE,
    REGISTRY,
    YkcMessage,
    gun_no,
    is_from_pile,
)
from bridge.protocols.ykc.messages.clock import TimeSync, TimeSyncAnswer
from bridge.protocols.ykc.messages.login import Heartbeat, HeartbeatAnswer, Login, LoginAnswer
from bridge.protocols.ykc.messages.power import WorkParameters, WorkParametersAnswer
from bridge.protocols.ykc.messages.realtime import NO_TEMPERATURE, ReadRealtime, RealtimeData
from bridge.protocols.ykc.messages.record import (
    BandLine,
    ChargeRecord,
    FiveBandRecord,
    RecordConfirmation,
    TransactionRecord,
    band_lines,
)
from bridge.protocols.ykc.messages.start import RemoteStart, RemoteStartAnswer
from bridge.protocols.ykc.messages.stop import RemoteStop, RemoteStopAnswer
from bridge.protocols.ykc.messages.tariff import TariffCheckAnswer, TariffCheckRequest, TariffModel, TariffRequest

__all__ = [
    "NO_CARD",
    "NO_TEMPERATURE",
    "NO_TRADE",
    "REGISTRY",
    "BandLine",
    "ChargeRecord",
    "FiveBandRecord",
    "Heartbeat",
    "HeartbeatAnswer",
    "Login",
    "LoginAnswer",
    "ReadRealtime",
    "RealtimeData",
    "RecordConfirmation",
    "RemoteStart",
    "RemoteStartAnswer",
    "RemoteStop",
    "RemoteStopAnswer",
    "TariffCheckAnswer",
    "TariffCheckRequest",
    "TariffModel",
    "TariffRequest",
    "TimeSync",
    "TimeSyncAnswer",
    "TransactionRecord",
    "WorkParameters",
    "WorkParametersAnswer",
    "YkcMessage",
    "band_lines",
    "gun_no",
    "is_from_pile",
]
