"""Card numbers in every spelling, masks, and what a pile makes of a PIN."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.cards.numbers import (
    is_vin,
    masked_card,
    masked_plate,
    masked_printed,
    masked_vin,
    password_of,
    spell_uid,
    spellings,
)

UIDS = st.binary(min_size=8, max_size=8).map(lambda raw: raw.hex().upper())


@pytest.mark.parametrize(
    "sent",
    # YKC V1.6 §10: as the document, e-iot and a captured AC bill write the card whose number is D14B0A54.
    ["00000000D14B0A54", "540A4BD100000000", "D14B0A5400000000", "00000000540A4BD1"],
)
def test_every_spelling_of_a_four_byte_card_finds_it(sent: str) -> None:
    assert "00000000D14B0A54" in spellings(sent)
    assert spellings(sent)[0] == sent


@given(uid=UIDS)
def test_spellings_are_mutual(uid: str) -> None:
    for other in spellings(uid):
        assert len(other) == 16
        assert uid in spellings(other)


@given(uid=UIDS.filter(lambda uid: not uid.startswith("00") and not uid.endswith("00")))
def test_a_full_number_has_only_its_reverse_beside_it(uid: str) -> None:
    backwards = bytes.fromhex(uid)[::-1].hex().upper()
    assert spellings(uid) == tuple(dict.fromkeys((uid, backwards)))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("d14b0a54", "00000000D14B0A54"),
        ("D1:4B:0A:54", "00000000D14B0A54"),
        ("00000000D14B0A54", "00000000D14B0A54"),
        ("04 A1 B2 C3 D4 E5 80", "0004A1B2C3D4E580"),
    ],
)
def test_a_typed_number_is_kept_as_the_wire_has_it(typed: str, kept: str) -> None:
    assert spell_uid(typed) == kept


def test_a_password_is_the_middle_half_of_the_digest() -> None:
    assert password_of("123456") == hashlib.md5(b"123456").hexdigest()[8:24] == "49ba59abbe56e057"


def test_masks_tell_enough_to_recognise_and_too_little_to_copy() -> None:
    assert masked_card("00000000D14B0A54") == "****0A54"
    assert masked_card("540A4BD100000000") == "****4BD1"
    assert masked_card(None) is None
    assert masked_printed("8800000000000042") == "****0042"
    assert masked_printed("42") == "**"
    assert masked_vin("LSVAU2180N2183294") == "LSV**********3294"
    assert masked_plate("浙A12345") == "浙A***45"


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("LSVAU2180N2183294", True),
        ("LSVAU2180N218329", False),
        ("LSVAU2180N21832I4", False),
        ("0" * 17, False),
        ("\x00" * 17, False),
        ("lsvau2180n2183294", False),
    ],
)
def test_what_can_be_a_vin(text: str, one: bool) -> None:
    assert is_vin(text) is one
