"""Held-out users: the requested share, other users every day."""

from __future__ import annotations

from datetime import date

from grove.training.holdout import held_out

USERS = [f"user{number}" for number in range(4_000)]


def drawn(day: date, share: float = 0.05) -> set[str]:
    return {user for user in USERS if held_out(user, day, share)}


def test_share_is_about_the_requested_one():
    assert 0.04 < len(drawn(date(2026, 11, 19))) / len(USERS) < 0.06
    assert drawn(date(2026, 11, 19), 0.0) == set()
    assert drawn(date(2026, 11, 19), 1.0) == set(USERS)


def test_other_days_have_other_users():
    first, second = drawn(date(2026, 11, 19)), drawn(date(2026, 11, 20))
    assert len(first & second) < len(first) / 4


def test_the_draw_never_changes():
    assert [held_out(user, date(2026, 11, 19), 0.5) for user in USERS[:6]] == [
        True, False, False, True, False, True,
    ]  # fmt: skip
