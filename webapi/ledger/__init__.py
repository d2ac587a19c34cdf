"""The ledger: double entry, wallets, holds and the proof that they agree."""
