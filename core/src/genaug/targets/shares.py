"""Shares of several generators: reads them from text, and divides the new images of each class among them."""

import math
from collections.abc import Mapping

from genaug.errors import UsageError, shown


def parse_shares(text: str) -> dict[str, float]:
    """`a`, `a,b` or `a=0.3,b=0.7` to {name: share}; shares are scaled to the sum 1. Raises UsageError."""
    requests = [part.partition("=") for part in text.split(",")]
    names = [name.strip() for name, _, _ in requests]
    given = [share.strip() for _, equals, share in requests if equals]
    if not all(names) or len(set(names)) < len(names) or len(given) not in (0, len(names)):
        raise UsageError(
            "generator: expected one name, or several different names with a share for all or none of them, such as "
            f"NAME=0.3,OTHER=0.7, got {shown(text)}"
        )
    shares = [_share(share, text) for share in given] or [1.0] * len(names)
    return {name: share / sum(shares) for name, share in zip(names, shares, strict=True)}


def _share(text: str, whole: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0.0 < share < math.inf:
        raise UsageError(f"generator: expected shares above 0, got {shown(text)} in {shown(whole)}")
    return share


def shared_plan(plan: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, dict[str, int]]:
    """{generator: {class: new images}} that add up to the plan, by the largest-remainder method; ties go by name."""
    by_class = {name: _apportioned(count, shares) for name, count in plan.items()}
    return {generator: {name: by_class[name][generator] for name in plan} for generator in shares}


def _apportioned(count: int, shares: Mapping[str, float]) -> dict[str, int]:
    exact = {name: count * share for name, share in shares.items()}
    whole = {name: math.floor(value) for name, value in exact.items()}
    left = count - sum(whole.values())
    order = sorted(exact, key=lambda name: (-round(exact[name] - whole[name], 9), name))
    return {name: whole[name] + (name in order[:left]) for name in exact}
