"""Alarm records as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from evcs.contracts.alarm import AlarmKind, Severity
from webapi.faults.queries import AlarmFilter
from webapi.http.fields import Body, Instant, code, next_cursor, number, out, text
from webapi.stations.schemas import PageQuery

SEVERITY = "级别：info 提示，warning 警告，critical 严重 · how grave"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What who has seen it says of it."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class CountsWish:
    """Of which station; none: of all visible ones."""

    station: str | None = None


class AlarmsQuery(PageQuery):
    """Which alarms."""

    makes = AlarmFilter
    station = code("只看该站 · only at this station")
    transformer = code("只看该变压器 · only of this transformer")
    pile = code("只看该桩 · only at this pile")
    gun = number("只看该枪 · only at this gun number", most=99)
    serial = fields.String(
        validate=validate.Regexp(r"[0-9A-Fa-f]{32}\Z"), metadata={"description": "只看该订单 · only of this order"}
    )
    kind = fields.Enum(
        AlarmKind,
        by_value=True,
        metadata={"description": "fault 设备上报的故障，warning 平台规则的预警 · reported, or by a rule"},
    )
    severity = DelimitedList(fields.Enum(Severity, by_value=True), metadata={"description": f"{SEVERITY}; commas"})
    code = text("故障码 · code, whole", most=64)
    open = fields.Boolean(metadata={"description": "true：未恢复；false：已恢复 · still open, or cleared"})
    acknowledged = fields.Boolean(metadata={"description": "是否已有人确认 · whether somebody has acknowledged it"})
    known = fields.Boolean(metadata={"description": "false：故障码待描述 · false: nobody has described the code"})
    since = Instant(metadata={"description": "发生时间不早于 · raised at or after"})
    until = Instant(metadata={"description": "发生时间早于 · raised before"})


class CountsQuery(Body):
    """Of which station."""

    makes = CountsWish
    station = code("只看该站 · only at this station")


class AcknowledgeBody(Body):
    """A note."""

    makes = Acknowledgement
    note = text("处理说明 · what is done about it", least=0, missing="")


class AlarmSchema(Schema):
    """故障或预警的一次发生。 One time that a fault or warning was raised."""

    id = out(fields.Integer, "记录编号 · number of the record")
    alarm = out(fields.String, "告警标识，同一设备同一故障不变 · the alarm's id, the same each time")
    station = out(fields.String, "充电站编号 · station's code")
    station_name = out(fields.String, "充电站名称 · its name")
    transformer = out(fields.String, "变压器编号 · transformer's code", allow_none=True)
    pile = out(fields.String, "桩号 · pile's number", allow_none=True)
    gun = out(fields.Integer, "枪号 · gun's number", allow_none=True)
    serial = out(fields.String, "进行中的订单 · the order under way", allow_none=True)
    kind = out(fields.Enum, "fault 故障，warning 预警 · kind", enum=AlarmKind, by_value=True)
    protocol = out(fields.String, "上报的协议；空：平台规则 · protocol of a reported code; empty: a rule of ours")
    code = out(fields.String, "故障码 · code")
    known = out(fields.Boolean, "字典是否认识该码 · whether the dictionary has the code")
    severity = out(fields.Enum, SEVERITY, enum=Severity, by_value=True)
    action = out(fields.String, "随之动作：alarm 仅告警，derate 降功率，stop 停止，lock 停用 · what follows")
    zh = out(fields.String, "说明（发生时的文字）· text as it was then, Chinese")
    en = out(fields.String, "the same in English")
    count = out(fields.Integer, "合并的次数或受影响的桩数 · flaps merged, or piles of a storm")
    value = out(fields.Float, "触发时的数值 · the figure that raised it", allow_none=True)
    limit = out(fields.Float, "限值 · what it is measured against", allow_none=True)
    unit = out(fields.String, "单位 · unit of both")
    raw = out(fields.String, "报文原值 · what the pile said, raw")
    open = out(fields.Boolean, "是否未恢复 · whether it is still open")
    raised_at = out(Instant, "发生时间 · raised")
    cleared_at = out(Instant, "恢复时间 · cleared", allow_none=True)
    duration_s = out(fields.Float, "持续秒数 · how long, s; of an open one until now")
    acknowledged_at = out(Instant, "确认时间 · acknowledged", allow_none=True)
    acknowledged_by = out(fields.String, "确认人 · by whom", allow_none=True)
    acknowledged_name = out(fields.String, "确认人姓名 · the name", allow_none=True)
    acknowledge_note = out(fields.String, "处理说明 · what was noted", allow_none=True)


class AlarmsSchema(Schema):
    """A page of alarms: open ones first, then the newest."""

    items = fields.List(fields.Nested(AlarmSchema))
    next = next_cursor()


class AdviceSchema(Schema):
    """故障码字典的现行条目。 What the dictionary says today."""

    entry = out(fields.Integer, "字典条目编号 · number of the entry")
    zh = out(fields.String, "含义 · meaning in Chinese")
    en = out(fields.String, "the same in English")
    severity = out(fields.Enum, SEVERITY, enum=Severity, by_value=True)
    category = out(fields.String, "类别 · category")
    advice_zh = out(fields.String, "处理建议 · what to do")
    advice_en = out(fields.String, "the same in English")


class EarlierSchema(Schema):
    """同一告警的另一次发生。 Another time that it was raised."""

    id = out(fields.Integer, "记录编号 · number of the record")
    raised_at = out(Instant, "发生时间 · raised")
    cleared_at = out(Instant, "恢复时间 · cleared", allow_none=True)
    count = out(fields.Integer, "合并次数 · flaps merged")


class AlarmDetailSchema(Schema):
    """故障或预警的详情。 An alarm with what explains it."""

    alarm = fields.Nested(AlarmSchema)
    dictionary = fields.Nested(
        AdviceSchema, allow_none=True, metadata={"description": "字典的解释与建议 · null: the code is not described"}
    )
    described_at = out(Instant, "文字补写时间 · when its text was applied backwards", allow_none=True)
    earlier = fields.List(
        fields.Nested(EarlierSchema), metadata={"description": "以往发生 · other times, newest first"}
    )
    curve_since = out(Instant, "曲线查看起点（发生前 5 分钟）· look at the curve from")
    curve_until = out(Instant, "曲线查看终点 · … until")


class AlarmCountsSchema(Schema):
    """未恢复的数量。 What is open."""

    open = out(fields.Integer, "未恢复 · open")
    unacknowledged = out(fields.Integer, "其中未确认 · of them nobody has acknowledged")
    critical = out(fields.Integer, "严重 · critical")
    warning = out(fields.Integer, "警告 · severity warning")
    info = out(fields.Integer, "提示 · info")
    faults = out(fields.Integer, "设备故障 · faults")
    warnings = out(fields.Integer, "规则预警 · warnings of rules")
    undescribed = out(fields.Integer, "故障码待描述 · with a code that nobody has described")
