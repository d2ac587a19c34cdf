"""Login, its answer and the heartbeat (YKC V1.6: 0x01-0x04)."""

from typing import Annotated

from bridge.protocols.fields import Ascii, Bcd, Enum8
from bridge.protocols.ykc.codes import LoginResult, Network, PileType
from bridge.protocols.ykc.messages.base import U8, GunNo, PileNo, YkcMessage


class Login(YkcMessage, code=0x01, title="充电桩登录认证", source="YKC V1.6 0x01"):
    """Pile → platform, after power-up and after every reconnect; nothing else may be sent first."""

    pile_no: PileNo
    pile_type: Annotated[PileType | int, Enum8(PileType)]
    gun_count: U8
    protocol_version: U8  # 0x0F is V1.5, 0x10 is V1.6
    software_version: Annotated[str, Ascii(8)]
    network: Annotated[Network | int, Enum8(Network)]
    sim: Annotated[str, Bcd(10)]
    operator: U8  # 0 China Mobile, 2 China Telecom, 3 China Unicom, 4 other


class LoginAnswer(YkcMessage, code=0x02, title="登录认证应答", source="YKC V1.6 0x02"):
    """Platform → pile; after REFUSED the platform closes the connection."""

    pile_no: PileNo
    result: Annotated[LoginResult | int, Enum8(LoginResult)]


class Heartbeat(YkcMessage, code=0x03, title="充电桩心跳包", source="YKC V1.6 0x03"):
    """Pile → platform, every 10 s; per gun, or one for the whole pile: both are met."""

    pile_no: PileNo
    gun_no: GunNo
    gun_state: U8  # 0 normal, 1 fault


class HeartbeatAnswer(YkcMessage, code=0x04, title="心跳包应答", source="YKC V1.6 0x04"):
    """Platform → pile."""

    pile_no: PileNo
    gun_no: GunNo
    ack: U8  # 0
