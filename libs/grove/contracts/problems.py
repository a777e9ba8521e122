"""Collector of all problems of a file, so that its author can correct them at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problems:
    """A growing list of sentences, each with where, expected and found."""

    sentences: list[str] = field(default_factory=list)

    def add(self, where: str, *, expected: str, found: str) -> None:
        """Add one problem."""
        self.sentences.append(f"{where}: expected {expected}, found {found}")

    def check_keys(
        self,
        values: Mapping[str, Any],
        *,
        known: Iterable[str],
        required: Iterable[str],
        where: str,
    ) -> None:
        """Add a problem for each unknown and each missing key of a mapping."""
        known = tuple(known)
        for key in values:
            if key not in known:
                self.add(where, expected=f"one of {', '.join(known)}", found=f"unknown key `{key}`")
        for key in required:
            if key not in values:
                self.add(where, expected=f"the key `{key}`", found="nothing")

    def check_value(
        self, values: Mapping[str, Any], key: str, allowed: tuple[Any, ...], *, where: str
    ) -> None:
        """Add a problem for a value that is not allowed; `check_keys` reports a missing key."""
        if key in values and values[key] not in allowed:
            wanted = ", ".join(str(value) for value in allowed)
            self.add(f"{where}.{key}", expected=wanted, found=repr(values[key]))

    def mappings(self, values: object, *, where: str) -> list[Mapping[str, Any]]:
        """`values` as a list of mappings; if it is not one, an empty list and a problem."""
        if isinstance(values, list) and all(isinstance(each, Mapping) for each in values):
            return values
        self.add(where, expected="a list of mappings", found=type(values).__name__)
        return []
