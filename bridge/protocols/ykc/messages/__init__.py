"""Every declared message of YKC V1.5 / V1.6; importing this fills the registry."""

from bridge.protocols.ykc.messages.balance import (
    BalanceUpdate,
    BalanceUpdateAnswer,
)
from bridge.protocols.ykc.messages.base import (
    ANSWERED_BY,
    NO_CARD,
    NO_TRADE,
    REGISTRY,
    YkcMessage,
    gun_no,
    is_from_pile,
)
from bridge.protocols.ykc.messages.bms import (
    BmsAbort,
    BmsDemand,
    BmsInformation,
    CellMax,
    ChargeEnd,
    ChargeError,
    ChargeHandshake,
    ChargeParameters,
    ChargerAbort,
)
from bridge.protocols.ykc.messages.card import (
    MOST_NAMED,
    MOST_STORED,
    CardResult,
    OfflineCardClear,
    OfflineCardClearAnswer,
    OfflineCardQuery,
    OfflineCardQueryAnswer,
    OfflineCardSync,
    OfflineCardSyncAnswer,
    StartConfirmation,
    StartRequest,
    cleared_cards,
    queried_cards,
    stored_card,
)
from bridge.protocols.ykc.messages.clock import (
    TimeSync,
    TimeSyncAnswer,
)
from bridge.protocols.ykc.messages.ground_lock import (
    GroundLockAnswer,
    GroundLockCommand,
    GroundLockReport,
)
from bridge.protocols.ykc.messages.login import (
    Heartbeat,
    HeartbeatAnswer,
    Login,
    LoginAnswer,
)
from bridge.protocols.ykc.messages.parallel import (
    ParallelStartConfirmation,
    ParallelStartRequest,
    RemoteParallelStart,
    RemoteParallelStartAnswer,
)
from bridge.protocols.ykc.messages.power import (
    WorkParameters,
    WorkParametersAnswer,
)
from bridge.protocols.ykc.messages.realtime import (
    NO_TEMPERATURE,
    ReadRealtime,
    RealtimeData,
)
from bridge.protocols.ykc.messages.record import (
    BandLine,
    ChargeRecord,
    FiveBandRecord,
    RecordConfirmation,
    TransactionRecord,
    band_lines,
)
from bridge.protocols.ykc.messages.remote import (
    QrPrefix,
    QrPrefixAnswer,
    Restart,
    RestartAnswer,
    Update,
    UpdateAnswer,
)
from bridge.protocols.ykc.messages.start import (
    RemoteStart,
    RemoteStartAnswer,
)
from bridge.protocols.ykc.messages.stop import (
    RemoteStop,
    RemoteStopAnswer,
)
from bridge.protocols.ykc.messages.tariff import (
    TariffCheckAnswer,
    TariffCheckRequest,
    TariffModel,
    TariffPush,
    TariffPushAnswer,
    TariffRequest,
)

__all__ = [
    "ANSWERED_BY",
    "MOST_NAMED",
    "MOST_STORED",
    "NO_CARD",
    "NO_TEMPERATURE",
    "NO_TRADE",
    "REGISTRY",
    "BalanceUpdate",
    "BalanceUpdateAnswer",
    "BandLine",
    "BmsAbort",
    "BmsDemand",
    "BmsInformation",
    "CardResult",
    "CellMax",
    "ChargeEnd",
    "ChargeError",
    "ChargeHandshake",
    "ChargeParameters",
    "ChargeRecord",
    "ChargerAbort",
    "FiveBandRecord",
    "GroundLockAnswer",
    "GroundLockCommand",
    "GroundLockReport",
    "Heartbeat",
    "HeartbeatAnswer",
    "Login",
    "LoginAnswer",
    "OfflineCardClear",
    "OfflineCardClearAnswer",
    "OfflineCardQuery",
    "OfflineCardQueryAnswer",
    "OfflineCardSync",
    "OfflineCardSyncAnswer",
    "ParallelStartConfirmation",
    "ParallelStartRequest",
    "QrPrefix",
    "QrPrefixAnswer",
    "ReadRealtime",
    "RealtimeData",
    "RecordConfirmation",
    "RemoteParallelStart",
    "RemoteParallelStartAnswer",
    "RemoteStart",
    "RemoteStartAnswer",
    "RemoteStop",
    "RemoteStopAnswer",
    "Restart",
    "RestartAnswer",
    "StartConfirmation",
    "StartRequest",
    "TariffCheckAnswer",
    "TariffCheckRequest",
    "TariffModel",
    "TariffPush",
    "TariffPushAnswer",
    "TariffRequest",
    "TimeSync",
    "TimeSyncAnswer",
    "TransactionRecord",
    "Update",
    "UpdateAnswer",
    "WorkParameters",
    "WorkParametersAnswer",
    "YkcMessage",
    "band_lines",
    "cleared_cards",
    "gun_no",
    "is_from_pile",
    "queried_cards",
    "stored_card",
]
