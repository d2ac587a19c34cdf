"""Payments: the ways by which money comes in from a channel and goes back through it."""
