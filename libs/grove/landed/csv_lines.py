"""Lines of a CSV file, some of which can be given back, and its header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from grove.landed.rows import MOST_LINE_BYTES

MOST_GIVEN_BACK = 64 * 1024 * 1024
"""Characters given back above which a row no longer takes more than one line.

A file in which every line has an odd quote would otherwise be read once per line.
"""


class CsvLines:
    """Lines of a text, as the rows of `csv.reader` take them.

    Args:
        stream: bytes in UTF-8, with or without a byte order mark; other bytes become halves of
            surrogate pairs.
    """

    def __init__(self, stream: io.BufferedIOBase) -> None:
        buffered = io.BufferedReader(stream)
        self._text = io.TextIOWrapper(buffered, "utf-8-sig", "surrogateescape", newline="")
        self._returned: list[str] = []
        self._given_back = 0
        self._taken_characters = 0
        self.taken: list[str] = []
        """Lines of the row that is being read."""
        self.number = 0
        """Of the line read last."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.taken and self._given_back > MOST_GIVEN_BACK:
            raise csv.Error("a row of several lines in a file full of odd quotes")
        line = self._returned.pop() if self._returned else self._next_line()
        self.number += 1
        self.taken.append(line)
        self._taken_characters += len(line)
        if self._taken_characters > MOST_LINE_BYTES:
            raise csv.Error("a row that is too long")
        return line

    def start_row(self) -> None:
        """Forget the lines of the row before."""
        self.taken.clear()
        self._taken_characters = 0

    def keep_first(self) -> None:
        """Give back all lines taken but the first."""
        given = self.taken[1:]
        self._returned += reversed(given)
        self._given_back += sum(map(len, given))
        self.number -= len(given)
        del self.taken[1:]

    def read_header(self) -> list[str]:
        """The names in the first row that is not blank, without spaces around them.

        Raises:
            csv.Error: the row is no CSV.
        """
        for names in csv.reader(self, strict=True, skipinitialspace=True):
            if "".join(self.taken).strip():
                self.start_row()
                return stripped(names)
            self.start_row()
        return []

    def _next_line(self) -> str:
        line = rest = self._text.readline(MOST_LINE_BYTES + 2)
        if not line:
            raise StopIteration
        while len(rest) > MOST_LINE_BYTES + 1 and rest[-1] not in "\r\n":
            rest = self._text.readline(MOST_LINE_BYTES + 2)
        return line


def stripped(names: list[str]) -> list[str]:
    """Names without white space and byte order marks around them."""
    return [name.strip("\N{ZERO WIDTH NO-BREAK SPACE} \t\r\n") for name in names]
