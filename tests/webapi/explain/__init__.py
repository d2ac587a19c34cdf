"""Tests of evidence and of bills explained."""
