"""The monthly load report as it goes over HTTP as JSON."""

from dataclasses import dataclass
from enum import StrEnum

from marshmallow import Schema, fields

from evcs.contracts.states import StartSource
from webapi.http.fields import Body, Instant, month, out


class Format(StrEnum):
    """As what the report is wanted."""

    JSON = "json"
    XLSX = "xlsx"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class ReportWish:
    """Which month, as what."""

    month: str
    format: Format = Format.JSON


class ReportQuery(Body):
    """Which month, as what."""

    makes = ReportWish
    month = month()
    format = fields.Enum(
        Format, by_value=True, metadata={"description": "json（默认）、xlsx、pdf · files in the language asked for"}
    )


class OverSchema(Schema):
    """高于某比例的时间。 For how long the load was strictly above a threshold."""

    pct = out(fields.Float, "额定容量的 % · % of the rated kVA")
    minutes = out(fields.Integer, "分钟 · minutes")


class SpanSchema(Schema):
    """某一时段的负荷；没有数据的项为 null，不是 0。 Load of a time; null where no minute of it has data, never 0."""

    minutes = out(fields.Integer, "时段长度，分钟 · its length, min")
    covered_minutes = out(fields.Integer, "有数据的分钟 · minutes with data")
    coverage_pct = out(fields.Float, "数据覆盖率，% · share with data")
    peak_pct = out(fields.Float, "最高负载率，% · peak", allow_none=True)
    peak_kva = out(fields.Float, "最高视在功率，kVA", allow_none=True)
    peak_at = out(Instant, "出现时间 · when", allow_none=True)
    mean_pct = out(fields.Float, "平均负载率，% · mean", allow_none=True)
    energy_kwh = out(fields.Float, "电量，kWh（仅有数据时段）· energy of the time with data", allow_none=True)
    over = fields.List(fields.Nested(OverSchema), metadata={"description": "超限时间 · above each threshold"})


class DaySchema(Schema):
    """一天。 One Beijing day."""

    day = out(fields.Date, "日期 · day")
    span = fields.Nested(SpanSchema)


class _StartSchema(Schema):
    at = out(Instant, "请求时间 · asked for")
    serial = out(fields.String, "订单 · order")
    pile = out(fields.String, "桩号 · pile")
    gun = out(fields.Integer, "枪号 · gun")
    source = out(fields.Enum, "启动方式 · started by", enum=StartSource, by_value=True)
    zh = out(fields.String, "原因 · reason in Chinese")
    en = out(fields.String, "the same in English")
    load_pct = out(fields.Float, "当时负荷，% · load then", allow_none=True)
    planned_pct = out(fields.Float, "当时计划负荷，% · planned load then", allow_none=True)


class RefusedStartSchema(_StartSchema):
    """被拒绝的启动。 A start that the gate refused."""

    code = out(fields.String, "原因代码 · code of the reason")


class CappedStartSchema(_StartSchema):
    """限功率的启动。 A start with a power cap."""

    cap_kw = out(fields.Float, "限至，kW · cap")


class OverrideSchema(Schema):
    """人工操作。 Something done by hand."""

    at = out(Instant, "时间 · when")
    who = out(fields.String, "操作人 · by whom, e.g. user:7")
    name = out(fields.String, "姓名 · the name")
    action = out(fields.String, "操作 · action as in the audit")
    object_kind = out(fields.String, "对象类型 · kind of the object")
    object_id = out(fields.String, "对象 · which one")
    outcome = out(fields.String, "结果 · done, or the code of the refusal")
    details = out(fields.String, "内容，JSON 文本 · details, JSON as text")


class ReportedAlarmSchema(Schema):
    """故障或预警。 A fault or warning."""

    raised_at = out(Instant, "发生 · raised")
    cleared_at = out(Instant, "恢复 · cleared", allow_none=True)
    severity = out(fields.String, "级别 · severity")
    code = out(fields.String, "代码 · code")
    zh = out(fields.String, "说明 · text in Chinese")
    en = out(fields.String, "the same in English")
    pile = out(fields.String, "桩号 · pile", allow_none=True)
    gun = out(fields.Integer, "枪号 · gun", allow_none=True)
    count = out(fields.Integer, "次数 · flaps merged, or piles of a storm")
    acknowledged_name = out(fields.String, "确认人 · acknowledged by", allow_none=True)


class RefusedListSchema(Schema):
    """被拒绝的启动。 Refused starts, oldest first."""

    items = fields.List(fields.Nested(RefusedStartSchema))
    left_out = out(fields.Integer, "未列出的条数 · how many are not listed")


class CappedListSchema(Schema):
    """限功率的启动。 Starts with a cap, oldest first."""

    items = fields.List(fields.Nested(CappedStartSchema))
    left_out = out(fields.Integer, "未列出的条数 · how many are not listed")


class OverrideListSchema(Schema):
    """人工操作。 What was done by hand, oldest first."""

    items = fields.List(fields.Nested(OverrideSchema))
    left_out = out(fields.Integer, "未列出的条数 · how many are not listed")


class AlarmListSchema(Schema):
    """故障与预警。 Faults and warnings, oldest first."""

    items = fields.List(fields.Nested(ReportedAlarmSchema))
    left_out = out(fields.Integer, "未列出的条数 · how many are not listed")


class LoadReportSchema(Schema):
    """变压器负荷月报。 A transformer's month, % of its rated apparent power as configured now."""

    month = out(fields.String, "月份 · Beijing month")
    begin = out(Instant, "统计起点 · from")
    end = out(Instant, "统计终点（未结束的月份至今）· until; of a running month: now")
    made_at = out(Instant, "生成时间 · when it was made")
    is_whole = out(fields.Boolean, "该月是否已结束 · whether the month is over")
    transformer = out(fields.String, "变压器编号 · transformer's code")
    name = out(fields.String, "变压器名称 · its name")
    station = out(fields.String, "充电站编号 · station's code")
    station_name = out(fields.String, "充电站名称 · its name")
    rated_kva = out(fields.Decimal, "额定容量，kVA · rated apparent power")
    source = out(fields.String, "meter 电表，estimate 估算 · which figure the load is")
    step_minutes = out(fields.Integer, "统计步长，分钟 · minutes of one mean")
    limited_pct = out(fields.Float, "限功率阈值，%")
    blocked_pct = out(fields.Float, "停止新充电阈值，%")
    overload_pct = out(fields.Float, "过载阈值，%")
    figures = fields.Nested(SpanSchema, metadata={"description": "全月 · of the whole month"})
    days = fields.List(fields.Nested(DaySchema))
    starts = out(fields.Integer, "请求启动次数（含被拒绝）· starts asked for, refused ones too")
    charged_kwh = out(fields.Decimal, "账单电量，kWh · billed energy of charges begun in the month")
    refused = fields.Nested(RefusedListSchema)
    capped = fields.Nested(CappedListSchema)
    overrides = fields.Nested(OverrideListSchema)
    alarms = fields.Nested(AlarmListSchema)
