"""An allowance that a percent stands for comes back as that percent, though it was rounded on its way."""

import pytest

from bridge.protocols.ykc.translate import YkcDialect


@pytest.mark.parametrize("rated_kw", [7.0, 33.333, 33.3333, 119.9999, 120.0, 180.5])
def test_no_percent_is_lost_between_rules_and_pile(rated_kw: float) -> None:
    dialect = YkcDialect()
    for percent in range(30, 101):
        assert dialect.units_of(dialect.kw_of(percent, rated_kw), rated_kw) == percent
        assert dialect.units_of(round(rated_kw * percent / 100, 4), rated_kw) == percent
