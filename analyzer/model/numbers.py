"""Numbers as people read them. The one place for digits, units and signs in every text: reasons, tables, alerts.

Program output (JSON, logs) keeps plain numbers.
"""

from __future__ import annotations

import math

_WHOLE = 9.95
"""From here on two significant digits are a whole number."""

_THOUSAND = 1000
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_UNIT = 1024


def number(value: float) -> str:
    """Two significant digits, without an exponent: 0.031, 6.8, 130, 24,000."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= _WHOLE:
        return f"{value:,.0f}"
    return f"{float(f'{value:.2g}'):.12f}".rstrip("0").rstrip(".")


def count(value: float) -> str:
    """A number of requests, pods or bytes as a whole number: 3,662."""
    return f"{value:,.0f}"


def times(ratio: float) -> str:
    """A ratio: 6.8x."""
    return f"{number(ratio)}x"


def percent(share: float) -> str:
    """A share: 3.4 %, 10.5 %, 0.034 %. Only a share of exactly 0 or 1 reads as 0 % or 100 %."""
    hundred = 100 * share
    if hundred in (0, 100):
        return f"{hundred:.0f} %"
    if 1 <= hundred < 99.95:  # noqa: PLR2004 - what would round up to 100.0
        return f"{hundred:.1f}".removesuffix(".0") + " %"
    if 99.95 <= hundred < 100:  # noqa: PLR2004 - as many digits as tell it from 100 %
        return f"{100 - float(f'{100 - hundred:.1g}'):.12f}".rstrip("0") + " %"
    return f"{number(hundred)} %"


def points(share: float) -> str:
    """A difference of shares, in percentage points: 0.05 pp."""
    return f"{number(100 * share)} pp"


def size(bytes_: float) -> str:
    """An amount of memory: 25.6 MiB."""
    value, unit = float(bytes_), _UNITS[0]
    for unit in _UNITS:  # noqa: B007 - the last one stays when nothing fits
        if abs(value) < _UNIT:
            break
        value /= _UNIT
    else:
        value *= _UNIT
    return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 99.95 else f"{value:.1f} {unit}"  # noqa: PLR2004


def seconds(value: float) -> str:
    """A measured time: 2.5 s, 250 ms, 0.8 ms."""
    return f"{number(value)} s" if abs(value) >= 1 else f"{number(_THOUSAND * value)} ms"
