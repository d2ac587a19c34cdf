"""Customers: the drivers who pay."""
