"""Login, its answer and the heartbeat (YKC V1.6: 0x01-0x04)."""

from typing import Annotated

from bridge.protocols.fields import Ascii, Bcd, Enum8
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import GunHealth, LoginResult, Network, Operator, PileType
from bridge.protocols.ykc.messages.base import U8, GunNo, PileNo, YkcMessage


class Login(YkcMessage, code=0x01, title="充电桩登录认证", source="YKC V1.6 0x01"):
    """Pile → platform, after power-up and after every reconnect; nothing else may be sent first."""

    pile_no: PileNo
    pile_type: Annotated[PileType | int, Enum8(PileType), Named("桩类型", "pile type")]
    gun_count: Annotated[U8, Named("充电枪数量", "number of guns")]
    protocol_version: Annotated[U8, Named("通信协议版本", "protocol version × 10", "0x0F: V1.5, 0x10: V1.6")]
    software_version: Annotated[str, Ascii(8), Named("程序版本", "program version")]
    network: Annotated[Network | int, Enum8(Network), Named("网络链接类型", "network")]
    sim: Annotated[str, Bcd(10), Named("SIM 卡", "SIM ICCID", "all 0: unknown")]
    operator: Annotated[U8, Named("运营商", "mobile operator", codes=Operator)]


class LoginAnswer(YkcMessage, code=0x02, title="登录认证应答", source="YKC V1.6 0x02"):
    """Platform → pile; after REFUSED the platform closes the connection."""

    pile_no: PileNo
    result: Annotated[LoginResult | int, Enum8(LoginResult), Named("登陆结果", "login result")]


class Heartbeat(YkcMessage, code=0x03, title="充电桩心跳包", source="YKC V1.6 0x03"):
    """Pile → platform, every 10 s; per gun, or one for the whole pile: both are met."""

    pile_no: PileNo
    gun_no: GunNo
    gun_state: Annotated[U8, Named("枪状态", "gun state", codes=GunHealth)]


class HeartbeatAnswer(YkcMessage, code=0x04, title="心跳包应答", source="YKC V1.6 0x04"):
    """Platform → pile."""

    pile_no: PileNo
    gun_no: GunNo
    ack: Annotated[U8, Named("心跳应答", "answer", "0")]
