"""Restart, update and QR prefix (YKC V1.6 §4.8; 0xF0 and 0xF1 are a vendors' extension, §4.10)."""

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell
from evcs.contracts.pile import QrKind, RunWhen

_WHEN = {RunWhen.AT_ONCE: codes.RunMode.AT_ONCE, RunWhen.WHEN_IDLE: codes.RunMode.WHEN_IDLE}
_QR = {QrKind.PILE: codes.QrKind.PILE, QrKind.GUN: codes.QrKind.GUN}


def _updated(message: ykc.UpdateAnswer) -> words.UpdateAnswered:
    said = codes.UpdateStatus.words(message.status)
    is_ok = message.status == codes.UpdateStatus.OK
    return words.UpdateAnswered(message.pile_no, is_ok, int(message.status), said.zh, said.en)


def _update(told: words.UpdateTold) -> ykc.Update:
    update = told.update
    return ykc.Update(
        pile_no=told.pile,
        model=codes.UpdateModel.AC if told.kind == "ac" else codes.UpdateModel.DC,
        power=round(told.rated_kw),
        server=update.server,
        port=update.port,
        user=update.user,
        password=update.password,
        path=update.path,
        mode=_WHEN[told.when],
        timeout_min=update.timeout_min,
    )


HEAR: Hear = {
    ykc.RestartAnswer: lambda message: words.RestartAnswered(
        message.pile_no, message.result == codes.Outcome.OK, int(message.result)
    ),
    ykc.UpdateAnswer: _updated,
    ykc.QrPrefixAnswer: lambda message: words.QrAnswered(message.pile_no, int(message.result)),
}
TELL: Tell = {
    words.RestartTold: lambda told: ykc.Restart(pile_no=told.pile, mode=_WHEN[told.when]),
    words.UpdateTold: _update,
    words.QrTold: lambda told: ykc.QrPrefix(
        pile_no=told.pile, kind=_QR[told.qr.kind], prefix_len=len(told.qr.prefix), prefix=told.qr.prefix
    ),
}
