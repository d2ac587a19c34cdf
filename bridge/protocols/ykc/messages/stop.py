"""Remote stop and its answer (YKC V1.6: 0x36, 0x35)."""

from typing import Annotated

from bridge.protocols.fields import Enum8
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import Outcome, StopFailure
from bridge.protocols.ykc.messages.base import GunNo, PileNo, YkcMessage


class RemoteStop(YkcMessage, code=0x36, title="运营平台远程停机", source="YKC V1.6 0x36"):
    """Platform → pile; names a gun, not a transaction."""

    pile_no: PileNo
    gun_no: GunNo


class RemoteStopAnswer(YkcMessage, code=0x35, title="远程停机命令回复", source="YKC V1.6 0x35"):
    """Pile → platform."""

    pile_no: PileNo
    gun_no: GunNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("停止结果", "stop result")]
    fail_reason: Annotated[StopFailure | int, Enum8(StopFailure), Named("失败原因", "failure reason")]
