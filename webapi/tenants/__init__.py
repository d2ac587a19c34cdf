"""Tenants: the operators, who see only their own."""
