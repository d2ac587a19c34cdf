"""Tariffs: slots, prices, versions, and what a charge costs by them."""
