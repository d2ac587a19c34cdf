"""Commands as they go over HTTP: what a pile can be told, in the lengths of the protocol, and what became of it."""

import re
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema
from webargs.fields import DelimitedList

from evcs.contracts.pile import (
    FirmwareUpdate,
    LockAction,
    OfflineCard,
    PileCommandKind,
    QrKind,
    QrPrefix,
    RunWhen,
)
from webapi.http.fields import Body, Instant, next_cursor, out, whole
from webapi.piles.command_models import CommandState
from webapi.piles.command_queries import CommandFilter
from webapi.stations.schemas import PageQuery, SentenceSchema

MOST_CARDS = 500
LONGEST_TRACE_MIN = 60
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]*\Z")
UID = r"^([0-9A-Fa-f]{8}|[0-9A-Fa-f]{16})$"


@dataclass(frozen=True, slots=True)
class RestartWish:
    """When a pile shall restart."""

    when: RunWhen


@dataclass(frozen=True, slots=True)
class UpdateWish:
    """Which program, and when."""

    update: FirmwareUpdate
    when: RunWhen


@dataclass(frozen=True, slots=True)
class CardsWish:
    """Offline cards by number, and bound cards by their row."""

    cards: tuple[OfflineCard, ...]
    card_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LockWish:
    """What a parking lock shall do."""

    action: LockAction


@dataclass(frozen=True, slots=True)
class TraceWish:
    """Whether frames shall be shown, and for how long."""

    on: bool
    minutes: int = 10


def ascii_text(description: str, *, least: int, most: int, **options: Any) -> fields.String:
    """Visible ASCII, as the protocol's text fields carry it."""
    return fields.String(
        validate=[
            validate.Length(least, most),
            validate.Regexp(VISIBLE_ASCII, error="Only visible ASCII characters."),
        ],
        metadata={"description": description},
        **options,
    )


def _when() -> fields.Enum[Any]:
    return fields.Enum(
        RunWhen,
        by_value=True,
        load_default=RunWhen.WHEN_IDLE,
        metadata={"description": "at_once 立即（会中断充电） · when_idle 空闲时（默认）; at_once ends a charge"},
    )


class RestartBody(Body):
    """远程重启."""

    makes = RestartWish
    when = _when()


class UpdateBody(Body):
    """远程升级: the pile fetches its program by FTP. Lengths are those of the protocol."""

    server = ascii_text("FTP 服务器地址 · address of the FTP server", least=1, most=16, required=True)
    port = whole("端口 · port", most=65535, missing=21)
    user = ascii_text("用户名 · user", least=0, most=16, load_default="")
    password = ascii_text(
        "密码，只发给桩，不保存、不显示 · sent to the pile, never kept or shown",
        least=0,
        most=16,
        load_default="",
        load_only=True,
    )
    path = ascii_text("文件路径 · path of the file", least=1, most=32, required=True)
    timeout_min = whole("下载超时，分钟 · time-out of the download, min", most=255, missing=30)
    when = _when()

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> UpdateWish:
        when: RunWhen = data.pop("when")
        return UpdateWish(FirmwareUpdate(**data), when)


class QrBody(Body):
    """二维码前缀."""

    makes = QrPrefix
    prefix = ascii_text(
        "前缀，一般为网址开头 · as a rule the beginning of an address", least=1, most=180, required=True
    )
    kind = fields.Enum(
        QrKind,
        by_value=True,
        load_default=QrKind.GUN,
        metadata={"description": "pile 前缀+桩号 · gun 前缀+桩号+枪号: what the pile draws behind it"},
    )


class OfflineCardBody(Body):
    """An offline card by its numbers."""

    makes = OfflineCard
    uid = fields.String(
        required=True,
        validate=validate.Regexp(UID.replace("$", r"\Z")),
        metadata={
            "description": "物理卡号，16 位（或 4 字节卡 8 位）十六进制 · chip number, 16 hex digits (8 for short ones)"
        },
    )
    printed_no = fields.String(
        load_default="",
        validate=validate.Regexp(r"^[0-9]{0,16}\Z"),
        metadata={"description": "逻辑卡号（卡面号） · what is printed on it, 16 digits at most"},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> OfflineCard:
        return OfflineCard(uid=data["uid"].upper().zfill(16), printed_no=data["printed_no"])


class CardsBody(Body):
    """离线卡: by number, or bound cards by their id; 500 together at most."""

    cards = fields.List(
        fields.Nested(OfflineCardBody),
        load_default=list,
        validate=validate.Length(max=MOST_CARDS),
        metadata={"description": "卡号 · cards by number"},
    )
    card_ids = fields.List(
        whole("卡编号 · a bound card's id"),
        load_default=list,
        validate=validate.Length(max=MOST_CARDS),
        metadata={"description": "已绑定的卡 · bound cards by id"},
    )

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        together = len(data["cards"]) + len(data["card_ids"])
        if not 1 <= together <= MOST_CARDS:
            raise ValidationError(f"Between 1 and {MOST_CARDS} cards are needed.")
        uids = {card.uid for card in data["cards"]}
        if len(uids) != len(data["cards"]) or len(set(data["card_ids"])) != len(data["card_ids"]):
            raise ValidationError("A card is named twice.")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> CardsWish:
        return CardsWish(tuple(data["cards"]), tuple(data["card_ids"]))


class LockBody(Body):
    """地锁."""

    makes = LockWish
    action = fields.Enum(LockAction, by_value=True, required=True, metadata={"description": "raise 升锁 · lower 降锁"})


class TraceBody(Body):
    """报文跟踪."""

    makes = TraceWish
    on = fields.Boolean(required=True, truthy={True}, falsy={False}, metadata={"description": "开启或关闭 · on or off"})
    minutes = whole("持续分钟数 · for how many minutes", most=LONGEST_TRACE_MIN, missing=10)


class CommandsQuery(PageQuery):
    """Which commands."""

    makes = CommandFilter
    kind = DelimitedList(
        fields.Enum(PileCommandKind, by_value=True), metadata={"description": "种类，逗号分隔 · kinds, commas between"}
    )
    state = DelimitedList(
        fields.Enum(CommandState, by_value=True), metadata={"description": "状态，逗号分隔 · states, commas between"}
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> CommandFilter:
        return CommandFilter(**{**data, "kind": tuple(data.get("kind", ())), "state": tuple(data.get("state", ()))})


class UpdateSchema(Schema):
    """Where the program comes from; the password is not kept."""

    server = out(fields.String, "服务器 · server")
    port = out(fields.Integer, "端口 · port")
    user = out(fields.String, "用户名 · user")
    path = out(fields.String, "路径 · path")
    timeout_min = out(fields.Integer, "下载超时，分钟 · time-out, min")


class QrSchema(Schema):
    """二维码前缀."""

    prefix = out(fields.String, "前缀 · prefix")
    kind = out(fields.Enum, "pile 桩号 · gun 桩号+枪号", enum=QrKind, by_value=True)


class ParamsSchema(Schema):
    """What was told besides the kind; what a kind does not have is null."""

    when = out(fields.Enum, "何时执行 · when", enum=RunWhen, by_value=True, allow_none=True)
    update = fields.Nested(UpdateSchema, allow_none=True)
    qr = fields.Nested(QrSchema, allow_none=True)
    lock = out(fields.Enum, "地锁动作 · parking lock", enum=LockAction, by_value=True, allow_none=True)
    trace_until = out(Instant, "跟踪截止；null 为关闭 · traced until; null: off", allow_none=True)
    tariff_version = out(fields.String, "计费版本 · tariff version", allow_none=True)
    balance_fen = out(fields.Integer, "新余额，分 · new balance, fen", allow_none=True)


class CommandCardSchema(Schema):
    """What the pile said about a card."""

    uid = out(fields.String, "物理卡号，无操作权限时脱敏 · chip number, masked for who does not operate piles")
    printed_no = out(fields.String, "逻辑卡号 · printed number")
    ok = out(
        fields.Boolean, "已存、已清、存在 · stored, cleared, present; null: nothing said about it", allow_none=True
    )
    pile_code = out(fields.Integer, "桩的结果代码 · code as the pile sent it", allow_none=True)


class CommandSchema(Schema):
    """一条指令及其结果 · what a pile was told and what became of it."""

    id = out(fields.String, "编号 · id")
    pile = out(fields.String, "桩号 · pile's number")
    gun = out(fields.Integer, "枪号 · gun's number", allow_none=True)
    station = out(fields.String, "充电站编号 · station's code")
    kind = out(fields.Enum, "种类 · kind", enum=PileCommandKind, by_value=True)
    params = fields.Nested(ParamsSchema)
    state = out(
        fields.Enum,
        "waiting 等待应答 · accepted 已执行 · refused 被拒 · timed_out 无应答 · expired 未送达",
        enum=CommandState,
        by_value=True,
    )
    reason = out(fields.String, "原因代码 · reason code", allow_none=True)
    sentence = fields.Nested(SentenceSchema, metadata={"description": "结果与建议 · what became of it, what to do"})
    pile_code = out(fields.Integer, "桩的结果代码 · code as the pile sent it", allow_none=True)
    pile_text = fields.Nested(SentenceSchema, allow_none=True, metadata={"description": "该代码的含义 · what it means"})
    cards = fields.List(fields.Nested(CommandCardSchema))
    asked_by = out(fields.String, "操作者 · who asked")
    asked_at = out(Instant, "下发时间 · when")
    expires_at = out(Instant, "此后不再下发给桩 · not written to the pile after it")
    replied_at = out(Instant, "应答时间 · when the answer came", allow_none=True)
    tries = out(fields.Integer, "发送次数（同一编号，桩至多执行一次） · how often sent under its id")


class CommandsSchema(Schema):
    """A page of commands, newest first."""

    items = fields.List(fields.Nested(CommandSchema))
    next = next_cursor()
