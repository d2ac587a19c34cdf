"""Work parameters: permission and power limit of the whole pile (YKC V1.6: 0x52, 0x51)."""

from typing import Annotated

from bridge.protocols.fields import Enum8
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import Outcome, WorkPermission
from bridge.protocols.ykc.messages.base import U8, PileNo, YkcMessage


class WorkParameters(YkcMessage, code=0x52, title="充电桩工作参数设置", source="YKC V1.6 0x52"):
    """Platform → pile. The permission byte is inverted: 0 = allowed, 1 = locked."""

    pile_no: PileNo
    disabled: Annotated[WorkPermission | int, Enum8(WorkPermission), Named("是否允许工作", "locked")]
    max_power_pct: Annotated[
        U8, Named("充电桩最大允许输出功率", "highest power", "30 to 100 % of the rated power", unit="%")
    ]


class WorkParametersAnswer(YkcMessage, code=0x51, title="充电桩工作参数设置应答", source="YKC V1.6 0x51"):
    """Pile → platform."""

    pile_no: PileNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("设置结果", "result")]
