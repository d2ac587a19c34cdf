"""Piles: the boxes that hold one connection each."""
