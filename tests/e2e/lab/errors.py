"""The one error of the lab."""

from __future__ import annotations


class LabError(Exception):
    """Something of the lab could not be had or did not start; the text says what to do."""
