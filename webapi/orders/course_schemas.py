"""What car and charger said in the course of a charge, as it goes over HTTP with the order."""

from marshmallow import Schema, fields

from webapi.http.fields import Instant, out


class CarSchema(Schema):
    """What the car said about itself (0x15)."""

    battery_type = out(fields.String, "电池类型 · kind of battery")
    battery_maker = out(fields.String, "电池厂商 · its maker")
    rated_capacity_ah = out(fields.Float, "额定容量 · Ah", allow_none=True)
    rated_voltage_v = out(fields.Float, "额定总电压 · V", allow_none=True)
    bms_version = out(fields.String, "BMS 版本")
    charge_count = out(fields.Integer, "充电次数 · how often it was charged", allow_none=True)


class CarLimitsSchema(Schema):
    """What car and pile could take and give (0x17)."""

    max_voltage_v = out(fields.Float, "最高允许总电压 · V", allow_none=True)
    max_current_a = out(fields.Float, "最高允许电流 · A", allow_none=True)
    max_cell_voltage_v = out(fields.Float, "单体最高允许电压 · V", allow_none=True)
    max_temperature_c = out(fields.Integer, "最高允许温度 · °C", allow_none=True)
    nominal_energy_kwh = out(fields.Float, "标称总能量 · kWh", allow_none=True)
    soc_pct = out(fields.Float, "开始时 SOC · at the begin, %", allow_none=True)
    battery_voltage_v = out(fields.Float, "当前总电压 · V", allow_none=True)
    pile_max_voltage_v = out(fields.Float, "桩最高输出电压 · V", allow_none=True)
    pile_max_current_a = out(fields.Float, "桩最大输出电流 · A", allow_none=True)
    max_power_kw = out(fields.Float, "车辆最大功率 · the car's stated maximum, kW", allow_none=True)


class EndingSchema(Schema):
    """Statistics of the finished charge as the car has them (0x19)."""

    soc_pct = out(fields.Float, "结束 SOC · %", allow_none=True)
    min_cell_voltage_v = out(fields.Float, "单体最低电压 · V", allow_none=True)
    max_cell_voltage_v = out(fields.Float, "单体最高电压 · V", allow_none=True)
    min_temperature_c = out(fields.Integer, "最低温度 · °C", allow_none=True)
    max_temperature_c = out(fields.Integer, "最高温度 · °C", allow_none=True)
    elapsed_min = out(fields.Integer, "累计时间 · min", allow_none=True)
    energy_kwh = out(fields.Float, "输出能量 · kWh", allow_none=True)


class FindingSchema(Schema):
    """Something that was not normal."""

    code = out(fields.String, "代码 · code")
    value = out(fields.Integer, "报文中的值 · value on the wire, 1…3")
    zh = out(fields.String, "中文 · in Chinese")
    en = out(fields.String, "英文 · in English")


class FoundSchema(Schema):
    """What one frame told."""

    kind = out(fields.String, "来源 · bms_error 0x1B, bms_stopped 0x1D, charger_stopped 0x21, bms_warning 0x25")
    at = out(Instant, "时间 · when")
    findings = fields.List(
        fields.Nested(FindingSchema), metadata={"description": "空：恢复正常 · empty: all is well again"}
    )
