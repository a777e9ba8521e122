"""Users held out from an update, so that it can be evaluated on them."""

from __future__ import annotations

import hashlib
from datetime import date

_RANGE = 2**64


def held_out(user_id: str, day: date, share: float) -> bool:
    """Return whether a user is held out from a day's update.

    The draw is a hash of user and day: the same in every process, and other users every day.

    Args:
        user_id: of the user.
        day: of the update.
        share: expected share of users held out, 0 to 1.

    Returns:
        True for about `share` of all users.
    """
    digest = hashlib.blake2b(f"{day:%Y-%m-%d}/{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * _RANGE
