"""Setting a pile's clock and its answer (YKC V1.6: 0x56, 0x55)."""

from datetime import datetime
from typing import Annotated

from bridge.protocols.fields import Cp56Time2a
from bridge.protocols.layout import Named
from bridge.protocols.ykc.messages.base import PileNo, YkcMessage

Now = Annotated[datetime | bytes, Cp56Time2a(), Named("当前时间", "time now", "local time, UTC+8")]


class TimeSync(YkcMessage, code=0x56, title="对时设置", source="YKC V1.6 0x56"):
    """Platform → pile, after login and then daily; local time (UTC+8)."""

    pile_no: PileNo
    time: Now


class TimeSyncAnswer(YkcMessage, code=0x55, title="对时设置应答", source="YKC V1.6 0x55"):
    """Pile → platform: its clock after setting."""

    pile_no: PileNo
    time: Now
