"""Restart, update and QR prefix (YKC V1.6: 0x91-0x94; 0xF0 and 0xF1 are a vendors' extension)."""

from typing import Annotated

from bridge.protocols.fields import Ascii, Enum8
from bridge.protocols.layout import Named
from bridge.protocols.tails import CountedText
from bridge.protocols.ykc.codes import Outcome, QrKind, QrResult, RunMode, UpdateModel, UpdateStatus
from bridge.protocols.ykc.messages.base import U8, U16, PileNo, YkcMessage

When = Annotated[RunMode | int, Enum8(RunMode), Named("执行控制", "when")]


class Restart(YkcMessage, code=0x92, title="远程重启", source="YKC V1.6 0x92"):
    """Platform → pile."""

    pile_no: PileNo
    mode: When


class RestartAnswer(YkcMessage, code=0x91, title="远程重启应答", source="YKC V1.6 0x91"):
    """Pile → platform."""

    pile_no: PileNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("设置结果", "result")]


class Update(YkcMessage, code=0x94, title="远程更新", source="YKC V1.6 0x94"):
    """Platform → pile: fetch a program by FTP. The password stands in the frame as it is: no log may show it."""

    pile_no: PileNo
    model: Annotated[UpdateModel | int, Enum8(UpdateModel), Named("桩型号", "pile model", "not the codes of 0x01")]
    power: Annotated[U16, Named("桩功率", "pile power", "the unit is inferred", unit="kW")]
    server: Annotated[str, Ascii(16), Named("升级服务器地址", "server")]
    port: Annotated[U16, Named("升级服务器端口", "port", "21: FTP")]
    user: Annotated[str, Ascii(16), Named("用户名", "user")]
    password: Annotated[str, Ascii(16), Named("密码", "password")]
    path: Annotated[str, Ascii(32), Named("文件路径", "path")]
    mode: When
    timeout_min: Annotated[U8, Named("下载超时时间", "download timeout", unit="min")]


class UpdateAnswer(YkcMessage, code=0x93, title="远程更新应答", source="YKC V1.6 0x93"):
    """Pile → platform, by the document after the attempt; a known pile answers OK as soon as it accepts."""

    pile_no: PileNo
    status: Annotated[UpdateStatus | int, Enum8(UpdateStatus), Named("升级状态", "status")]


class QrPrefix(
    YkcMessage, code=0xF0, title="后台远程下发二维码前缀指令", source="vendors' extension, protocol reference §4.10"
):
    """Platform → pile: what stands in a gun's QR code before the pile number."""

    pile_no: PileNo
    kind: Annotated[QrKind | int, Enum8(QrKind), Named("二维码格式", "QR format")]
    prefix_len: Annotated[U8, Named("二维码前缀长度", "length of the prefix", "at most 200")]
    prefix: Annotated[str, CountedText("prefix_len"), Named("二维码前缀", "prefix")]


class QrPrefixAnswer(YkcMessage, code=0xF1, title="桩应答", source="vendors' extension, protocol reference §4.10"):
    """Pile → platform. One vendor's text has 1 for success: a setting of the pile's model."""

    pile_no: PileNo
    result: Annotated[QrResult | int, Enum8(QrResult), Named("下发结果", "result")]
