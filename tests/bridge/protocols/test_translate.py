"""The translation tables: joined of modules, each entry once, each word with a place."""

from typing import get_args

import pytest

from bridge import words
from bridge.protocols.ykc.translate import HEAR, TELL, joined


def test_an_entry_that_stands_in_two_modules_fails_at_import() -> None:
    with pytest.raises(TypeError, match="translated twice: int"):
        joined(({int: 1}, {str: 2}, {int: 3}))


def test_every_word_that_a_pile_is_told_has_its_message() -> None:
    assert set(TELL) == set(get_args(words.Told))


def test_only_messages_from_piles_are_heard() -> None:
    assert all(message.code % 2 == 1 for message in HEAR)
