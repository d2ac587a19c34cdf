"""Exports: a filtered list as an Excel file, written beside the API."""
