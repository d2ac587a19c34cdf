"""Refunds: what a customer may have back of the balance, and by which way."""
