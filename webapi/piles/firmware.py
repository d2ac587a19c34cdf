"""What a person sets of a pile's firmware: where its fault bits begin and how it departs from its protocol."""

from dataclasses import asdict, dataclass

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.config import Dialect
from webapi.piles.models import Pile


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareWish:
    """What shall change; None: it stays."""

    fault_bit_base: int | None = None
    qr_ok_code: int | None = None
    answers_in_peers_crc_order: bool | None = None
    update_answer_is_final: bool | None = None


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """As it stands: a person, the audit and `config/pile` see the same."""

    fault_bit_base: int
    qr_ok_code: int
    answers_in_peers_crc_order: bool
    update_answer_is_final: bool


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit keeps of a change."""

    before: Firmware
    after: Firmware


def dialect_of(pile: Pile) -> Dialect:
    """How its firmware departs from the protocol; by default it does not."""
    return Dialect() if pile.dialect_json is None else msgspec.json.decode(pile.dialect_json, type=Dialect)


def firmware_of(pile: Pile) -> Firmware:
    """What is set."""
    dialect = dialect_of(pile)
    return Firmware(
        fault_bit_base=pile.fault_bit_base,
        qr_ok_code=dialect.qr_ok_code,
        answers_in_peers_crc_order=dialect.answers_in_peers_crc_order,
        update_answer_is_final=dialect.update_answer_is_final,
    )


def set_firmware(session: Session, pile: Pile, wish: FirmwareWish) -> Changed:
    """Change what is wished; the levels `config/pile` and, for the fault bits, `config/station` follow.

    The caller has locked the pile's row.
    """
    before = firmware_of(pile)
    given = {name: value for name, value in asdict(wish).items() if value is not None}
    after = msgspec.structs.replace(before, **given)
    if after != before:
        dialect = Dialect(
            qr_ok_code=after.qr_ok_code,
            answers_in_peers_crc_order=after.answers_in_peers_crc_order,
            update_answer_is_final=after.update_answer_is_final,
        )
        pile.dialect_json = None if dialect == Dialect() else msgspec.json.encode(dialect).decode()
        pile.revision += 1
    if after.fault_bit_base != before.fault_bit_base:
        pile.fault_bit_base = after.fault_bit_base
        pile.station.revision += 1  # rules read the fault bits by the station's level
    session.flush()
    return Changed(before=before, after=after)
