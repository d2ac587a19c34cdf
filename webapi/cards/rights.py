"""Who sees card numbers and VINs in full: whoever binds them, and a driver the own ones."""

from webapi.access import Driver, Visible
from webapi.users.roles import Right


def sees_numbers(sees: Visible) -> bool:
    """Whether numbers of cards and cars are shown in full."""
    return isinstance(sees.asker, Driver) or Right.MANAGE_CARDS in sees.asker.rights
