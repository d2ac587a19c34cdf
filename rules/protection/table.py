"""The early-warning rules themselves: one table to read, argue about and change.

The pile has its own protection and acts in milliseconds; these rules look at a reading every 15 s and see what the pile
does not: trends, a gun that stays just below its own limit, what the car allowed. So every condition has to hold over
at least two readings. Sources marked (k) are from general knowledge of the standard, to be checked against its text.
"""

from collections.abc import Callable

from evcs.contracts.alarm import AlarmAction, Severity
from rules.protection.rule import WELL, Judge, Judged, Rule
from rules.protection.sample import Phases, Sample, Silence

Figure = Callable[[Sample], float | None]

_TERMINALS = (
    "GB/T 20234.1 and GB/T 18487.1 (k): terminals of the connector rise by at most 50 K, so 90 °C at 40 °C ambient. "
    "85 °C warns before it, 95 °C is beyond it with a sensor's error of 5 K, 105 °C is what cable insulation bears"
)
_NOMINAL_V = 220.0
_HIGHEST_V, _LOWEST_V = _NOMINAL_V * 1.07, _NOMINAL_V * 0.90
_SUPPLY = "GB/T 12325 (k): a 220 V supply may deviate by +7 % and −10 %"
FULL_SOC_PCT = 97.0
STILL_S, STILL_KWH = 900.0, 5.0
MIN_CURRENT_A = 1.0


def over(figure: Figure, limit: float, release: float) -> Judge[Sample]:
    """Bad at and above the limit, good below the release."""

    def judge(sample: Sample) -> Judged | None:
        value = figure(sample)
        if value is None:
            return None
        return WELL if value < release else Judged(value >= limit, False, value, limit)

    return judge


def over_share(figure: Figure, of: Figure, share: float, plus: float) -> Judge[Sample]:
    """Bad above share × another figure + a margin, good at that figure and below it."""

    def judge(sample: Sample) -> Judged | None:
        value, base = figure(sample), of(sample)
        if value is None or base is None:
            return None
        limit = base * share + plus
        return WELL if value <= (base + limit) / 2 else Judged(value > limit, False, value, limit)

    return judge


def _voltage_too_low(sample: Sample) -> Judged | None:
    """While current flows the output stands at the battery's voltage: far below the demand it is none of this car's."""
    volts, demand_v, amps = sample.voltage_v, sample.demand_v, sample.current_a
    if volts is None or demand_v is None or amps is None:
        return None
    if amps < MIN_CURRENT_A or volts >= demand_v * 0.65:
        return WELL
    limit = demand_v * 0.6
    return Judged(volts < limit, False, volts, limit)


def _cable_heats(sample: Sample) -> Judged | None:
    slope, cable_c = sample.cable_c_per_min, sample.cable_c
    if slope is None or cable_c is None:
        return None
    return WELL if slope < 2.0 else Judged(slope >= 5.0 and cable_c >= 50.0, False, slope, 5.0)


def _soc_stands_still(sample: Sample) -> Judged | None:
    if sample.soc_pct is None or sample.still_s is None or sample.still_kwh is None:
        return None
    if sample.still_kwh < STILL_KWH:
        return WELL
    is_bad = sample.still_s >= STILL_S and sample.soc_pct < FULL_SOC_PCT
    return Judged(is_bad, False, sample.still_kwh, STILL_KWH)


def _without_order(sample: Sample) -> Judged | None:
    if sample.has_order is None or sample.power_kw is None:
        return None
    return WELL if sample.has_order else Judged(sample.power_kw >= 0.5, False, sample.power_kw, 0.5)


def _at_rest(sample: Sample) -> Judged | None:
    if sample.current_a is None:
        return None
    return Judged(
        sample.is_at_rest and sample.current_a >= 2.0, sample.current_a < MIN_CURRENT_A, sample.current_a, 2.0
    )


GUN_RULES: tuple[Rule[Sample], ...] = (
    Rule(
        code="cable_hot",
        condition="≥ 85 °C; well < 80 °C",
        judge=over(lambda sample: sample.cable_c, 85.0, 80.0),
        for_s=15,
        clear_s=60,
        severity=Severity.WARNING,
        only_charging=False,
        unit="°C",
        zh="枪线温度 {value} °C，达到预警值 {limit} °C；请检查插头接触与散热。",
        en="The cable has {value} °C, at or over {limit} °C; look at the plug's contacts and the cooling.",
        source=_TERMINALS,
    ),
    Rule(
        code="cable_hot_derate",
        condition="≥ 95 °C; well < 85 °C",
        judge=over(lambda sample: sample.cable_c, 95.0, 85.0),
        for_s=15,
        clear_s=120,
        severity=Severity.CRITICAL,
        action=AlarmAction.DERATE,
        only_charging=False,
        unit="°C",
        zh="枪线温度 {value} °C，超过 {limit} °C，已降功率；请尽快检查。",
        en="The cable has {value} °C, over {limit} °C; the power was lowered. Look at it soon.",
        source=_TERMINALS,
    ),
    Rule(
        code="cable_hot_stop",
        condition="≥ 105 °C; well < 85 °C",
        judge=over(lambda sample: sample.cable_c, 105.0, 85.0),
        for_s=15,
        clear_s=120,
        severity=Severity.CRITICAL,
        action=AlarmAction.STOP,
        only_charging=False,
        unit="°C",
        zh="枪线温度 {value} °C，超过 {limit} °C，充电已停止；冷却前不能启动。",
        en="The cable has {value} °C, over {limit} °C; the charge was stopped, none starts before it is cooler.",
        source=_TERMINALS,
    ),
    Rule(
        code="cable_heats_fast",
        condition="≥ 5 °C/min over 1 to 3 min, at 50 °C or more; well < 2 °C/min",
        judge=_cable_heats,
        for_s=15,
        clear_s=60,
        severity=Severity.WARNING,
        only_charging=False,
        unit="°C/min",
        zh="枪线升温过快：每分钟 {value} °C（{limit} 以上为异常）；多为插头接触不良。",
        en="The cable heats fast: {value} °C a minute ({limit} or more is abnormal); mostly a bad contact.",
        source="ours: a sound cable at its rated current needs 10 min and more for its 50 K",
    ),
    Rule(
        code="battery_hot",
        condition="≥ 55 °C; well < 52 °C",
        judge=over(lambda sample: sample.battery_c, 55.0, 52.0),
        for_s=60,
        clear_s=60,
        severity=Severity.WARNING,
        unit="°C",
        zh="动力电池最高温度 {value} °C，达到 {limit} °C。",
        en="The car's battery has {value} °C at its hottest, at or over {limit} °C.",
        source="ours: most packs state 55 °C as their highest temperature in 0x17",
    ),
    Rule(
        code="battery_hot_stop",
        condition="≥ 65 °C; well < 60 °C",
        judge=over(lambda sample: sample.battery_c, 65.0, 60.0),
        for_s=15,
        clear_s=60,
        severity=Severity.CRITICAL,
        action=AlarmAction.STOP,
        unit="°C",
        zh="动力电池最高温度 {value} °C，超过 {limit} °C，充电已停止；请远离车辆并查看。",
        en="The car's battery has {value} °C, over {limit} °C; the charge was stopped. Keep away and look after it.",
        source="ours: 10 K above what packs allow; the car should have ended the charge long before",
    ),
    Rule(
        code="output_over_voltage",
        condition="> the car's limit + 3 %",
        judge=over_share(lambda sample: sample.voltage_v, lambda sample: sample.limit_v, 1.03, 0.0),
        for_s=10,
        clear_s=30,
        severity=Severity.CRITICAL,
        action=AlarmAction.STOP,
        unit="V",
        zh="输出电压 {value} V 超过车辆允许的最高电压（限值 {limit} V），充电已停止。",
        en="The output has {value} V, over what the car allows at most ({limit} V); the charge was stopped.",
        source="0x17 最高允许充电总电压, with 3 % for two instruments",
    ),
    Rule(
        code="output_voltage_over_demand",
        condition="> the car's demand + 5 % + 5 V",
        judge=over_share(lambda sample: sample.voltage_v, lambda sample: sample.demand_v, 1.05, 5.0),
        for_s=30,
        clear_s=30,
        severity=Severity.WARNING,
        unit="V",
        zh="输出电压 {value} V 高于车辆需求（限值 {limit} V）。",
        en="The output has {value} V, above what the car asks for ({limit} V).",
        source="0x23 电压需求, with 5 % and 5 V since the two frames differ in time",
    ),
    Rule(
        code="output_under_voltage",
        condition="≥ 1 A at < 60 % of the car's demand",
        judge=_voltage_too_low,
        for_s=60,
        clear_s=30,
        severity=Severity.WARNING,
        unit="V",
        zh="有电流而输出电压只有 {value} V（低于 {limit} V）；请检查输出回路与采样。",
        en="Current flows at only {value} V (below {limit} V); look at the output circuit and its measurement.",
        source="ours: no pack is charged at less than 60 % of the voltage that it asks for (0x23)",
    ),
    Rule(
        code="output_over_current",
        condition="> the car's limit + 5 % + 2 A",
        judge=over_share(lambda sample: sample.current_a, lambda sample: sample.limit_a, 1.05, 2.0),
        for_s=10,
        clear_s=30,
        severity=Severity.CRITICAL,
        action=AlarmAction.STOP,
        unit="A",
        zh="输出电流 {value} A 超过车辆允许的最大电流（限值 {limit} A），充电已停止。",
        en="The output gives {value} A, over what the car allows at most ({limit} A); the charge was stopped.",
        source="0x17 最高允许充电电流, with 5 % and 2 A for two instruments",
    ),
    Rule(
        code="output_current_over_demand",
        condition="> the car's demand + 5 % + 5 A",
        judge=over_share(lambda sample: sample.current_a, lambda sample: sample.demand_a, 1.05, 5.0),
        for_s=45,
        clear_s=30,
        severity=Severity.WARNING,
        unit="A",
        zh="输出电流 {value} A 高于车辆需求（限值 {limit} A）。",
        en="The output gives {value} A, above what the car asks for ({limit} A).",
        source="0x23 电流需求; for three readings, since a demand is up to 45 s old",
    ),
    Rule(
        code="soc_not_rising",
        condition="≥ 5 kWh in ≥ 15 min without a percent, below 97 %",
        judge=_soc_stands_still,
        for_s=0,
        clear_s=0,
        severity=Severity.WARNING,
        unit="kWh",
        zh="已送出 {value} kWh 而 SOC 未上升（15 分钟以上）；请核对电表与车辆。",
        en="{value} kWh were delivered while the SOC did not rise for 15 min; compare the meter with the car.",
        source="ours: 1 % of the largest common pack (400 kWh) is 4 kWh",
    ),
    Rule(
        code="energy_without_order",
        condition="≥ 0.5 kW without an order",
        judge=_without_order,
        for_s=120,
        clear_s=0,
        severity=Severity.WARNING,
        unit="kW",
        zh="没有订单而正在送电（{value} kW）；可能是离线刷卡或桩端启动，请核实。",
        en="Power flows without an order ({value} kW): an offline card or a start at the pile; look into it.",
        source="ours: an order is known before its charge, and a record may come 30 s before the last reading",
    ),
    Rule(
        code="current_at_rest",
        condition="≥ 2 A while idle, plugged or finished; well < 1 A",
        judge=_at_rest,
        for_s=30,
        clear_s=0,
        severity=Severity.CRITICAL,
        only_charging=False,
        unit="A",
        zh="空闲的枪仍有 {value} A 电流；接触器可能粘连，请断电检查。",
        en="{value} A flow through a gun at rest: a contactor may be welded; cut the power and look.",
        source="ours: above what an instrument shows at zero",
    ),
)

SILENT: Rule[Silence] = Rule(
    code="silent_gun",
    condition="> 90 s without a reading",
    judge=lambda silence: Judged(silence.for_s > 90.0, silence.for_s <= 90.0, silence.for_s, 90.0),
    for_s=0,
    clear_s=0,
    severity=Severity.WARNING,
    unit="s",
    zh="该枪充电中，桩在线，但 {value} 秒没有数据（应每 15 秒一次）。",
    en="The gun charges and its pile is online, but nothing was heard of it for {value} s (every 15 s is due).",
    source="YKC V1.6 §6: 0x13 every 15 s while charging; six of them",
)

INPUT_OVER: Rule[Phases] = Rule(
    code="input_over_voltage",
    condition="a phase > 235.4 V; well ≤ 233.4 V",
    judge=lambda phases: (
        None
        if phases.most_v is None
        else Judged(phases.most_v > _HIGHEST_V, phases.most_v <= _HIGHEST_V - 2.0, phases.most_v, _HIGHEST_V)
    ),
    for_s=60,
    clear_s=60,
    severity=Severity.WARNING,
    only_charging=False,
    unit="V",
    zh="输入相电压 {value} V，高于 {limit} V。",
    en="A phase of the supply has {value} V, over {limit} V.",
    source=_SUPPLY,
)
INPUT_UNDER: Rule[Phases] = Rule(
    code="input_under_voltage",
    condition="a phase < 198 V; well ≥ 200 V",
    judge=lambda phases: (
        None
        if phases.least_v is None
        else Judged(phases.least_v < _LOWEST_V, phases.least_v >= _LOWEST_V + 2.0, phases.least_v, _LOWEST_V)
    ),
    for_s=60,
    clear_s=60,
    severity=Severity.WARNING,
    only_charging=False,
    unit="V",
    zh="输入相电压 {value} V，低于 {limit} V。",
    en="A phase of the supply has {value} V, below {limit} V.",
    source=_SUPPLY,
)
PHASE_RULES: tuple[Rule[Phases], ...] = (INPUT_OVER, INPUT_UNDER)

REST_RULES = tuple(rule for rule in GUN_RULES if not rule.only_charging)
BY_CODE: dict[str, Rule[Sample]] = {rule.code: rule for rule in GUN_RULES}
DERATE_SHARES = {rule.code: rule.derate_share for rule in GUN_RULES if rule.action is AlarmAction.DERATE}
