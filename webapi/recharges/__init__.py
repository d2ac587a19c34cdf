"""Recharges: money put on wallets."""
