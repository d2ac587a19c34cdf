"""A withdrawal cut into refunds: for any recharges the sum is kept, the order, the limits and the share of the gift."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.refunds.decompose import (
    LIMITS,
    ChannelLimits,
    NotRefundable,
    Part,
    Refundable,
    decompose,
    gift_back,
    refund_number,
)

AT = datetime(2026, 11, 25, 1, tzinfo=UTC)
WECHAT = LIMITS["wechat"]


@st.composite
def one_recharge(draw: st.DrawFn, number: int) -> Refundable:
    amount = draw(st.integers(1, 100_000))
    refunded = draw(st.integers(0, amount))
    gift = draw(st.integers(0, 50_000))
    return Refundable(
        recharge_id=number,
        channel=draw(st.sampled_from(["wechat", "alipay", "manual"])),
        paid_at=AT - timedelta(days=draw(st.integers(0, 400)), seconds=draw(st.integers(0, 3))),
        amount_fen=amount,
        refunded_fen=refunded,
        parts=draw(st.integers(0, 52)),
        last_part_at=draw(st.none() | st.integers(0, 200).map(lambda s: AT - timedelta(seconds=s))),
        gift_fen=gift,
        gift_taken_back_fen=gift * refunded // amount,
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, list[Refundable]]:
    recharges = [draw(one_recharge(number)) for number in range(draw(st.integers(0, 8)))]
    whole = sum(one.rest_fen for one in recharges)
    return draw(st.integers(1, max(1, whole) + 500)), draw(st.permutations(recharges))


def is_taken(one: Refundable) -> bool:
    return one.channel == "wechat" and one.parts < 50 and AT - one.paid_at < timedelta(days=365)


@given(case=cases())
def test_any_withdrawal_keeps_sum_order_limits_and_gift(case: tuple[int, list[Refundable]]) -> None:
    amount, recharges = case
    parts = decompose(amount, recharges, at=AT)
    whole = sum(one.rest_fen for one in recharges)
    if amount > whole:
        assert parts == NotRefundable(amount - whole)
        return
    assert isinstance(parts, tuple)
    by_id = {one.recharge_id: one for one in recharges}
    assert sum(part.amount_fen for part in parts) == amount
    assert len({part.recharge_id for part in parts}) == len(parts)
    order = [(part.by_hand, by_id[part.recharge_id].paid_at, part.recharge_id) for part in parts]
    assert order == sorted(order)
    for part in parts:
        one = by_id[part.recharge_id]
        assert 0 < part.amount_fen <= one.rest_fen
        assert part.by_hand is not is_taken(one)
        assert 0 <= part.gift_back_fen <= one.gift_fen - one.gift_taken_back_fen
        if not part.by_hand and one.last_part_at is not None:
            assert part.not_before - one.last_part_at >= timedelta(seconds=WECHAT.apart_s)
        assert part.not_before >= AT
    # Nothing is taken from a later one while an earlier one, of those that go the same way, has a rest.
    taken = {part.recharge_id: part.amount_fen for part in parts}
    for part in parts[:-1]:
        assert taken[part.recharge_id] == by_id[part.recharge_id].rest_fen
    if any(part.by_hand for part in parts):
        assert all(taken.get(one.recharge_id, 0) == one.rest_fen for one in recharges if is_taken(one))


@given(
    amount=st.integers(1, 100_000),
    gift=st.integers(0, 50_000),
    cuts=st.lists(st.integers(1, 100_000), min_size=1, max_size=20),
)
def test_many_withdrawals_take_back_as_much_gift_as_one(amount: int, gift: int, cuts: list[int]) -> None:
    refunded = back = 0
    for cut in cuts:
        take = min(cut, amount - refunded)
        if not take:
            break
        one = Refundable(1, "wechat", AT, amount, refunded, gift_fen=gift, gift_taken_back_fen=back)
        back += gift_back(one, take)
        refunded += take
        assert back == gift * refunded // amount
    assert gift_back(Refundable(1, "wechat", AT, amount, gift_fen=gift), amount) == gift


def test_the_example_of_the_requirements() -> None:
    recharge = Refundable(7, "wechat", AT - timedelta(days=1), 10_000, gift_fen=2_000)
    assert decompose(4_000, [recharge], at=AT) == (Part(7, "wechat", 4_000, 800, by_hand=False, not_before=AT),)


@pytest.mark.parametrize(
    ("recharge", "by_hand"),
    [
        (Refundable(1, "wechat", AT - timedelta(days=365) + timedelta(seconds=1), 100), False),
        (Refundable(1, "wechat", AT - timedelta(days=365), 100), True),
        (Refundable(1, "wechat", AT, 100, refunded_fen=49, parts=49), False),
        (Refundable(1, "wechat", AT, 100, refunded_fen=50, parts=50), True),
        (Refundable(1, "manual", AT, 100), True),
    ],
)
def test_what_the_channel_does_not_take_back_goes_by_hand(recharge: Refundable, by_hand: bool) -> None:
    parts = decompose(10, [recharge], at=AT)
    assert isinstance(parts, tuple)
    assert [part.by_hand for part in parts] == [by_hand]


def test_the_oldest_that_can_still_go_by_its_channel_goes_first() -> None:
    too_old = Refundable(1, "wechat", AT - timedelta(days=400), 1_000)
    old = Refundable(2, "wechat", AT - timedelta(days=360), 1_000)
    new = Refundable(3, "wechat", AT - timedelta(days=2), 1_000)
    parts = decompose(2_500, [new, too_old, old], at=AT)
    assert isinstance(parts, tuple)
    assert [(part.recharge_id, part.amount_fen, part.by_hand) for part in parts] == [
        (2, 1_000, False),
        (3, 1_000, False),
        (1, 500, True),
    ]


def test_the_next_part_of_a_payment_waits_its_minute() -> None:
    last = AT - timedelta(seconds=20)
    recharge = Refundable(1, "wechat", AT, 100, refunded_fen=10, parts=1, last_part_at=last)
    parts = decompose(10, [recharge], at=AT)
    assert isinstance(parts, tuple)
    assert parts[0].not_before == last + timedelta(seconds=60)
    other = decompose(10, [recharge], at=AT, limits={"wechat": ChannelLimits(days=365, parts=50, apart_s=5)})
    assert isinstance(other, tuple)
    assert other[0].not_before == AT


def test_a_refund_keeps_its_number_for_ever() -> None:
    # The figure itself: another one would pay out again what is on its way.
    assert refund_number(12, 1) == "r93d3590be7b8f98c9bec9ffe3de7ed3"
    numbers = {refund_number(request, part) for request in range(100) for part in range(1, 50)}
    assert len(numbers) == 100 * 49
    assert all(len(number) == 32 and number.isalnum() for number in numbers)


def test_nothing_is_no_withdrawal() -> None:
    with pytest.raises(ValueError, match="0 fen"):
        decompose(0, [], at=AT)
