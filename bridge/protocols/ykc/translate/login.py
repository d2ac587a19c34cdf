"""Login and heartbeat (YKC V1.6 §4.1)."""

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell


def _login(message: ykc.Login) -> words.LoginSaid:
    major, minor = divmod(message.protocol_version, 10)
    return words.LoginSaid(
        pile=message.pile_no,
        kind="ac" if message.pile_type == codes.PileType.AC else "dc",
        gun_count=message.gun_count,
        protocol=f"ykc{major}.{minor}",
        firmware=message.software_version,
    )


HEAR: Hear = {
    ykc.Login: _login,
    ykc.Heartbeat: lambda message: words.HeartbeatSaid(message.pile_no, message.gun_no),
}
TELL: Tell = {
    words.LoginAnswer: lambda told: ykc.LoginAnswer(
        pile_no=told.pile, result=codes.LoginResult.OK if told.ok else codes.LoginResult.REFUSED
    ),
    words.HeartbeatAnswer: lambda told: ykc.HeartbeatAnswer(pile_no=told.pile, gun_no=told.gun_text, ack=0),
}
