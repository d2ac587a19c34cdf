"""QR codes of guns: ours are signed, a pile's own are read as it writes them, everything else names no gun."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.mini.qr import GunCodes, Scanned

OURS = GunCodes("a secret of this installation", "https://charge.example/")
PILE = "55031412000001"


def test_own_code_is_an_address_of_the_driver_page_that_reads_back() -> None:
    content = OURS.content(PILE, 2)
    assert content.startswith("https://charge.example/d/")
    token = content.rsplit("/", 1)[1]
    for scanned in (content, f"  {content}\n", token, content + "?from=poster", f"http://other.example/d/{token}"):
        assert OURS.read(scanned) == Scanned(PILE, 2, is_ours=True), scanned


@pytest.mark.parametrize(
    ("scanned", "expected"),
    [
        (f"https://pile.example/q?no={PILE}01", Scanned(PILE, 1, is_ours=False)),
        (f"https://pile.example/q?no={PILE}", Scanned(PILE, None, is_ours=False)),
        (PILE, Scanned(PILE, None, is_ours=False)),
        (f"{PILE}12", Scanned(PILE, 12, is_ours=False)),
        (f"{PILE}00", None),
        (f"1{PILE}", None),
        (f"{PILE}123", None),
        ("", None),
        ("hello", None),
        ("http://[", None),
        ("５５０３１４１２００００００１", None),
        (PILE.rjust(600, "x"), None),
    ],
)
def test_a_piles_own_code_is_its_prefix_and_number(scanned: str, expected: Scanned | None) -> None:
    assert OURS.read(scanned) == expected


def test_a_code_that_was_changed_or_signed_elsewhere_is_not_ours() -> None:
    token = OURS.content(PILE, 1).rsplit("/", 1)[1]
    forged = token.replace("~1.", "~2.")
    assert forged != token
    assert OURS.read(forged) is None
    assert OURS.read(GunCodes("another", "https://charge.example").content(PILE, 1)) is None


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_read_or_names_nothing(before: str, after: str) -> None:
    for text in (before, f"{before}/d/{after}", f"{before}{PILE}{after}"):
        found = OURS.read(text)
        assert found is None or not found.is_ours


@given(st.from_regex(r"[0-9]{14}", fullmatch=True), st.integers(1, 99))
def test_every_gun_reads_back(pile: str, gun: int) -> None:
    if not pile.isascii():
        return
    assert OURS.read(OURS.content(pile, gun)) == Scanned(pile, gun, is_ours=True)
