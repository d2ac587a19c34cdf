"""What the value of a field means, in words: codes, stop reasons, fault bits, two-bit groups, tariff slots, cards."""

from decimal import Decimal
from itertools import groupby

from bridge.protocols.fields import Enum8
from bridge.protocols.layout import Place
from bridge.protocols.ykc.codes import Band, CardClearFailure, CardPresence, fault_numbers, fault_words, stop_reason
from bridge.protocols.ykc.findings import findings
from bridge.protocols.ykc.messages import (
    NO_TEMPERATURE,
    NO_TRADE,
    FiveBandRecord,
    OfflineCardClearAnswer,
    OfflineCardQueryAnswer,
    OfflineCardSync,
    RealtimeData,
    TariffModel,
    TariffPush,
    TransactionRecord,
    YkcMessage,
    cleared_cards,
    queried_cards,
)
from bridge.protocols.ykc.words import Coded, Words

NOTHING = Words("", "")


def _joined(parts: list[Words]) -> Words:
    return Words("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _faults(bits: int) -> Words:
    """Both ways to count, since the frame does not say which one its model uses."""
    if not bits:
        return Words("无", "none")
    first, second = ([fault_words(number) for number in fault_numbers(bits, base)] for base in (0, 1))
    from_0, from_1 = _joined(first), _joined(second)
    return Words(
        f"Bit1=0x0001：{from_0.zh} / Bit1=0x0002：{from_1.zh}", f"Bit1=0x0001: {from_0.en} / Bit1=0x0002: {from_1.en}"
    )


def _clock(slot: int) -> str:
    return f"{slot // 2:02d}:{slot % 2 * 30:02d}"


def _slots(slots: tuple[int, ...]) -> Words:
    """Half hours in a row of one band as one span."""
    spans, start = [], 0
    for band, run in groupby(slots):
        end = start + len(list(run))
        words = Band.words(band)
        spans.append(Words(f"{_clock(start)}-{_clock(end)} {words.zh}", f"{_clock(start)}-{_clock(end)} {words.en}"))
        start = end
    return _joined(spans)


def _cards(message: YkcMessage) -> Words:
    match message:
        case OfflineCardClearAnswer(cards=cards):
            results = cleared_cards(cards)
            return _joined(
                [
                    Words(
                        f"{card.physical} {'已清除' if card.ok else '未清除：' + CardClearFailure.words(card.code).zh}",
                        f"{card.physical} {'cleared' if card.ok else 'kept: ' + CardClearFailure.words(card.code).en}",
                    )
                    for card in results
                ]
            )
        case OfflineCardQueryAnswer(cards=cards):
            return _joined(
                [
                    Words(
                        f"{card.physical} {CardPresence.words(card.ok).zh}",
                        f"{card.physical} {CardPresence.words(card.ok).en}",
                    )
                    for card in queried_cards(cards)
                ]
            )
        case OfflineCardSync(cards=cards):
            return _joined([Words(f"{card[:16]} / {card[16:]}", f"{card[:16]} / {card[16:]}") for card in cards])
    return NOTHING


def meaning(message: YkcMessage, place: Place) -> Words:
    """Words for the value of one field; empty where the value says everything."""
    value = getattr(message, place.name)
    found = [finding for finding in findings(message) if finding.code.startswith(f"{place.name}.")]
    if found:
        return _joined([Words(finding.zh, finding.en) for finding in found])
    match message, place.name:
        case RealtimeData(), "fault_bits":
            return _faults(value)
        case RealtimeData(), "cable_temp" | "battery_temp_max" if value == NO_TEMPERATURE:
            return Words("无数据", "no value")
        case ((TransactionRecord() | FiveBandRecord()), "stop_reason"):
            reason = stop_reason(value)
            return Words(reason.zh, f"{reason.en} ({reason.kind.value})")
        case ((TariffModel() | TariffPush()), "slots"):
            return _slots(value)
        case _, "cards":
            return _cards(message)
        case _, "trade_no" if value == NO_TRADE:
            return Words("无", "none")
        case _, "protocol_version":
            return Words(f"V{value / 10}", f"V{value / 10}")
        case _, ("need_i" | "meas_i" | "pile_i" | "bms_i_max" | "pile_i_max" | "pile_i_min") if isinstance(
            value, Decimal
        ):
            return Words(f"{abs(value)} A", f"magnitude {abs(value)} A") if value < 0 else NOTHING
    codes = place.codec.codes if isinstance(place.codec, Enum8) else place.named.codes
    return codes.words(value) if codes is not None and issubclass(codes, Coded) else NOTHING
