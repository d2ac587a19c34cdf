"""Power, work permission and clock (YKC V1.6 §4.6)."""

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell, utc

HEAR: Hear = {
    ykc.WorkParametersAnswer: lambda message: words.PowerAnswered(
        message.pile_no, message.result == codes.Outcome.OK, int(message.result)
    ),
    ykc.TimeSyncAnswer: lambda message: words.ClockSaid(message.pile_no, utc(message.time)),
}
TELL: Tell = {
    words.PowerTold: lambda told: ykc.WorkParameters(
        pile_no=told.pile,
        disabled=codes.WorkPermission.LOCKED if told.locked else codes.WorkPermission.ALLOWED,
        max_power_pct=told.units,
    ),
    words.ClockSet: lambda told: ykc.TimeSync(pile_no=told.pile, time=told.time),
}
