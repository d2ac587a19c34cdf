"""What can go wrong when money is moved."""


class LedgerError(Exception):
    """Base of what the ledger raises."""


class InsufficientFunds(LedgerError):
    """A balance would have fallen below zero. Amounts in fen."""

    def __init__(self, account: str, balance_fen: int, change_fen: int) -> None:
        super().__init__(f"{account} holds {balance_fen} fen, cannot take {change_fen}")
        self.account = account
        self.balance_fen = balance_fen
        self.change_fen = change_fen


class KeyTaken(LedgerError):
    """A posting with this key exists and says something else."""


class NoOpenHold(LedgerError):
    """The order has no hold from which anything could be taken or to which anything could be added."""
