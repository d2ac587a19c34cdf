"""Charging orders: from the hold to the settlement."""
