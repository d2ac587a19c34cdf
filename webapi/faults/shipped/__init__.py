"""The fault codes that the platform ships with: the bridge's list, and what to do about each."""

from webapi.faults.shipped.entries import ShippedCode, shipped_codes

__all__ = ["ShippedCode", "shipped_codes"]
