"""0x3B of a session, with four bands or five (YKC V1.6, transaction record). Pure."""

from decimal import Decimal

from bridge.protocols.ykc.messages import ChargeRecord, FiveBandRecord, TransactionRecord, gun_no
from bridge.simulator.gun import Gun, instant, kwh


def record_of(gun: Gun, end_pile_ms: int, reason: int) -> ChargeRecord:
    """The record as if the session ended now; ValueError without a session."""
    session = gun.session
    if session is None:
        raise ValueError(f"gun {gun.number} has no session")
    tally = session.tally
    prices = [Decimal(price).scaleb(-5) for price in tally.tariff.prices_e5]
    energies = [kwh(steps) for steps in tally.steps]
    amounts = [kwh(amount) for amount in tally.amounts_e4()]
    record = TransactionRecord(
        trade_no=session.trade_no,
        pile_no=gun.pile_no,
        gun_no=gun_no(gun.number),
        start_time=instant(session.start_pile_ms),
        end_time=instant(end_pile_ms),
        sharp_price=prices[0],
        sharp_kwh=energies[0],
        sharp_kwh_loss=energies[0],
        sharp_amount=amounts[0],
        peak_price=prices[1],
        peak_kwh=energies[1],
        peak_kwh_loss=energies[1],
        peak_amount=amounts[1],
        flat_price=prices[2],
        flat_kwh=energies[2],
        flat_kwh_loss=energies[2],
        flat_amount=amounts[2],
        valley_price=prices[3],
        valley_kwh=energies[3],
        valley_kwh_loss=energies[3],
        valley_amount=amounts[3],
        meter_start=kwh(session.meter_start),
        meter_end=kwh(gun.register),
        total_kwh=kwh(tally.total_steps),
        total_kwh_loss=kwh(tally.total_steps),
        total_amount=kwh(tally.total_e4),
        vin=gun.car.vin if gun.car is not None else "",
        trade_flag=session.order.kind,
        trade_time=instant(end_pile_ms),
        stop_reason=reason,
        physical_card=session.order.card,
    )
    if len(prices) == 4:
        return record
    fields = {name: getattr(record, name) for name in TransactionRecord.plan.names}
    return FiveBandRecord(
        **fields, deep_price=prices[4], deep_kwh=energies[4], deep_kwh_loss=energies[4], deep_amount=amounts[4]
    )


def record_from(body: bytes) -> ChargeRecord:
    """A body that was kept → the record; its size tells which table it is."""
    return FiveBandRecord.decode(body) if len(body) == FiveBandRecord.size else TransactionRecord.decode(body)
