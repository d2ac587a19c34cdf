"""The demo: a small operator with its stations, and customers who recharge and charge."""
