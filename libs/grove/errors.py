"""Error classes and exit codes: data and internal errors are final, infrastructure errors retried.

Every message has five fields: what went wrong, where, what was expected, what was found, and
the next step.
"""

from __future__ import annotations

from typing import Self

DATA_EXIT_CODE = 65
"""A data or settings error: running again with the same input fails again."""
BUG_EXIT_CODE = 70
"""An internal error, `EX_SOFTWARE`: running the same code again fails again."""
INFRASTRUCTURE_EXIT_CODE = 75
"""A temporary failure: running again may succeed."""


class GroveError(Exception):
    """An error whose message includes the next step.

    Args:
        what: what went wrong, in one clause.
        where: dataset, file, day, line or setting.
        expected: what should have been there.
        found: what was there.
        next_step: what the reader should do.
    """

    exit_code = INFRASTRUCTURE_EXIT_CODE

    def __init__(self, what: str, *, where: str, expected: str, found: str, next_step: str) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.next_step = next_step
        super().__init__(
            f"{what}\n  where:    {where}\n  expected: {expected}\n"
            f"  found:    {found}\n  next:     {next_step}"
        )

    def inside(self, place: str) -> Self:
        """The same error, with an outer location before its `where`."""
        return type(self)(
            self.what,
            where=f"{place}, {self.where}",
            expected=self.expected,
            found=self.found,
            next_step=self.next_step,
        )


class DataError(GroveError):
    """The input is wrong; the day is rejected and not retried."""

    exit_code = DATA_EXIT_CODE


class SettingsError(DataError):
    """A setting, an argument or a contract file is wrong."""


class BugError(GroveError):
    """A stage broke its own contract; the code must change, so the error is not retried."""

    exit_code = BUG_EXIT_CODE


class InfrastructureError(GroveError):
    """The environment failed (disk, network, cluster); a retry may succeed."""
