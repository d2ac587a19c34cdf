"""A bill in words that can be read aloud to the customer, in both languages."""

from datetime import datetime
from decimal import Decimal

from evcs.contracts.money import round_half_up
from evcs.contracts.reasons import Sentence
from evcs.contracts.states import TariffBand
from evcs.contracts.times import BEIJING
from webapi.orders.explain.explanation import Explanation
from webapi.orders.explain.rebuild import ExactLine
from webapi.orders.models import BillKind, BillRoute

BANDS = {
    TariffBand.SHARP: Sentence("尖", "sharp"),
    TariffBand.PEAK: Sentence("峰", "peak"),
    TariffBand.FLAT: Sentence("平", "flat"),
    TariffBand.VALLEY: Sentence("谷", "valley"),
    TariffBand.DEEP_VALLEY: Sentence("深谷", "deep valley"),
}
ROUTES = {
    BillRoute.RECORD: Sentence("电量取自充电桩上传的充电记录。", "The energies are those of the pile's charge record."),
    BillRoute.MARKS: Sentence(
        "充电记录缺失或不可信，电量按平台收到的电表读数分时段计算。",
        "The pile's record is missing or not to be believed: the energies are from the meter readings we received.",
    ),
    BillRoute.NONE: Sentence("没有可计费的电量。", "There was no energy to bill."),
}
KINDS = {
    BillKind.PROVISIONAL: Sentence("暂结账单", "Provisional bill"),
    BillKind.FINAL: Sentence("结算账单", "Bill"),
    BillKind.CORRECTION: Sentence("更正账单", "Corrected bill"),
    BillKind.DECISION: Sentence("复核裁定账单", "Bill by decision of a reviewer"),
}


def words_of(explained: Explanation) -> tuple[Sentence, ...]:
    """The sentences, one thought each."""
    bill, order = explained.bundle.bill, explained.bundle.order
    kind = KINDS[BillKind(bill.kind)]
    begin, end = order.started_at or order.requested_at, order.ended_at or bill.made_at
    said = [
        Sentence(
            f"{kind.zh}：{_said(begin)} 至 {_said(end)}，在 {order.station} 站 {order.pile} 号桩"
            f" {order.gun} 号枪充电 {bill.energy_kwh} 度。",
            f"{kind.en}: charged {bill.energy_kwh} kWh at gun {order.gun} of pile {order.pile}, station"
            f" {order.station}, from {_said(begin)} to {_said(end)} (Beijing time).",
        ),
        ROUTES[BillRoute(bill.route)],
    ]
    if explained.bundle.tariff is not None:
        version = explained.bundle.tariff.version
        said.append(
            Sentence(f"电价为开始充电时的版本 {version}，充电中不变。", f"Prices: version {version}, as at the start.")
        )
    said += [_line(line) for line in explained.lines]
    if explained.total_fen is None:
        said.append(
            Sentence("凭现有证据无法算出金额，需人工处理。", "The evidence gives no amount; a person has to look.")
        )
    else:
        said += _sum(explained, explained.total_fen)
    said += _paid(explained)
    if not explained.is_right:
        first = explained.differences[0]
        said.append(
            Sentence(
                f"注意：账目与证据不一致（{first.what}：应为 {first.expected}，现为 {first.found}），请转财务核对。",
                f"Attention: books and evidence differ ({first.what}: {first.expected} expected, {first.found} found);"
                " hand it to finance.",
            )
        )
    return tuple(said)


def yuan(fen: int | Decimal) -> str:
    """An amount in yuan: two decimals, more only where the fen is not whole."""
    return f"{Decimal(fen) / 100:.2f}" if fen == int(fen) else f"{(Decimal(fen) / 100).normalize():f}"


def _said(instant: datetime) -> str:
    """A time as people in Beijing say it."""
    return f"{instant.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _price(price_e5: int) -> str:
    return f"{Decimal(price_e5).scaleb(-5).normalize():f}"


def _line(line: ExactLine) -> Sentence:
    band = BANDS[line.band]
    electricity, service = _price(line.energy_price_e5), _price(line.service_price_e5)
    return Sentence(
        f"{band.zh}时段 {line.energy_kwh} 度：电费 {line.energy_kwh} × {electricity} ="
        f" {yuan(line.exact_electricity_fen)} 元，计 {yuan(line.electricity_fen)} 元；"
        f"服务费 {line.energy_kwh} × {service} = {yuan(line.exact_service_fen)} 元，计 {yuan(line.service_fen)} 元。",
        f"{band.en.capitalize()} {line.energy_kwh} kWh: electricity × {electricity} ="
        f" {yuan(line.exact_electricity_fen)}, billed {yuan(line.electricity_fen)};"
        f" service × {service} = {yuan(line.exact_service_fen)}, billed {yuan(line.service_fen)} yuan.",
    )


def _sum(explained: Explanation, total_fen: int) -> list[Sentence]:
    exact = sum((line.exact_electricity_fen + line.exact_service_fen for line in explained.lines), Decimal(0))
    full_fen = total_fen + explained.discount_fen
    said = []
    if explained.lines:
        rounded = round_half_up(exact)
        said.append(
            Sentence(
                f"合计 {yuan(exact)} 元，四舍五入到分为 {yuan(rounded)} 元；各项的分按最大余数分摊，加起来等于合计。",
                f"Together {yuan(exact)} yuan, rounded half up to {yuan(rounded)}; the fen are shared by largest"
                " remainder, so that the lines add up to it.",
            )
        )
        if rounded != full_fen:
            said.append(
                Sentence(
                    f"桩与平台的金额不同，按较低的 {yuan(full_fen)} 元计。",
                    f"Pile and platform came to different amounts: the lower, {yuan(full_fen)} yuan, counts.",
                )
            )
    if explained.discount_fen:
        said.append(
            Sentence(
                f"超出您设定目标的部分 {yuan(explained.discount_fen)} 元由平台承担。",
                f"{yuan(explained.discount_fen)} yuan beyond your goal are at our cost.",
            )
        )
    said.append(Sentence(f"应付 {yuan(total_fen)} 元。", f"To pay: {yuan(total_fen)} yuan."))
    return said


def _paid(explained: Explanation) -> list[Sentence]:
    payment, before = explained.payment, explained.bundle.before
    if payment is None:
        return []
    said = []
    if before is not None and explained.total_fen is not None:
        more = explained.total_fen - before.total_fen
        said.append(
            Sentence(
                f"此前已结算 {yuan(before.total_fen)} 元，本次{'补扣' if more >= 0 else '退回'} {yuan(abs(more))} 元。",
                f"{yuan(before.total_fen)} yuan were settled before:"
                f" {yuan(abs(more))} {'more to pay' if more >= 0 else 'given back'}.",
            )
        )
    for fen, zh, en in (
        (payment.from_hold, "从冻结金额扣除", "taken from the hold"),
        (payment.from_available, "从可用余额扣除", "taken from the balance"),
        (payment.from_gift, "从赠送金扣除", "taken from the gift"),
        (payment.owed, "余额不足，记为欠费", "not covered: owed"),
        (payment.released, "解冻退回余额", "of the hold given back to the balance"),
        (payment.kept, "有争议，暂留冻结", "in dispute and still held"),
    ):
        if fen:
            said.append(Sentence(f"{zh} {yuan(fen)} 元。", f"{yuan(fen)} yuan {en}."))
    return said
