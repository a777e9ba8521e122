"""Verdict on a dataset: the results of its checks, and whether its rows may be committed.

Standard library only: the gate task of a dataset reads a verdict without Spark.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from grove.contracts.contract import Severity
from grove.errors import InfrastructureError


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """Result of one check."""

    name: str
    severity: Severity
    passed: bool
    expected: str
    observed: str
    column: str | None = None
    unexpected_rows: int = 0


@dataclass(frozen=True)
class Verdict:
    """All results of one dataset; only a failed `fail` check rejects it.

    Example:
        >>> odd = CheckResult(
        ...     name="volume", severity="warn", passed=False, expected="100 rows", observed="9"
        ... )
        >>> verdict = Verdict("interactions", (odd,))
        >>> verdict.passed, len(verdict.warnings)
        (True, 1)
    """

    dataset: str
    results: tuple[CheckResult, ...]
    seconds: float = field(default=0.0, compare=False)
    """Duration of the validation; not part of the comparison."""

    @property
    def passed(self) -> bool:
        """Whether no `fail` check failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The failed checks that reject the rows."""
        return self._failed("fail")

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """The failed checks that only warn."""
        return self._failed("warn")

    def _failed(self, severity: Severity) -> tuple[CheckResult, ...]:
        return tuple(
            result for result in self.results if result.severity == severity and not result.passed
        )

    def to_json(self) -> str:
        """The verdict as indented JSON; `passed` is written for readers without this class."""
        return json.dumps({"passed": self.passed, **asdict(self)}, indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """Read the output of `to_json`.

        Raises:
            InfrastructureError: the text is not a verdict, for example a truncated file.
        """
        try:
            values = json.loads(text)
            results = tuple(CheckResult(**result) for result in values["results"])
            return cls(values["dataset"], results, values.get("seconds", 0.0))
        except (ValueError, KeyError, TypeError) as error:
            raise InfrastructureError(
                "a verdict cannot be read",
                where="the JSON text of a verdict",
                expected="the form Verdict.to_json writes",
                found=f"{type(error).__name__}: {error}",
                next_step="run the stage that wrote it again",
            ) from error


def verdict_table(verdict: Verdict) -> str:
    """The verdict as aligned text for a log: failed checks first.

    Example:
        >>> odd = CheckResult(
        ...     name="volume", severity="warn", passed=False, expected="100 rows", observed="9"
        ... )
        >>> print(verdict_table(Verdict("interactions", (odd,))))
        outcome  check   expected  observed
        warn     volume  100 rows  9
    """
    ordered = sorted(verdict.results, key=lambda result: (result.passed, result.severity))
    rows = [("outcome", "check", "expected", "observed")] + [
        (
            "held" if result.passed else result.severity,
            result.name,
            result.expected,
            result.observed,
        )
        for result in ordered
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]))
        for row in rows
    )
