"""Landed text that leaves Grove: shown as it is on a terminal or in a log, and written as JSON.

It imports nothing but the standard library, so DAG files may read it while Airflow parses them.
"""

from __future__ import annotations

import json
import re
import unicodedata

_JOINERS = frozenset("\u200c\u200d")
"""Format characters that belong to words and emoji."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories that a terminal obeys, reorders text by, cannot encode or does not show."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: object, *, keep: str = "") -> str:
    r"""Replace control, format and line characters and lone surrogates by Python's escapes.

    An escape sequence in a title would otherwise recolour the terminal or hide a link in it, and
    an override of the direction would show other text than there is.

    Args:
        text: any value; its text is shown.
        keep: characters to leave, such as the line breaks of a message.

    Example:
        >>> visible("Mug [/b] \x1b]8;;http://x\x07 \u202egum")
        'Mug [/b] \\x1b]8;;http://x\\x07 \\u202egum'
    """
    plain = str(text)
    if plain.isprintable():
        return plain
    return "".join(
        letter if letter in keep or not _is_hidden(letter) else _escaped(letter) for letter in plain
    )


def json_text(value: object, *, indent: int | None = None) -> str:
    r"""Write a value as JSON that every encoder and reader takes.

    Letters stay as they are. A lone surrogate, which UTF-8 cannot encode, becomes JSON's escape;
    names of files that are no UTF-8 have some. Keys are sorted, so equal values give equal text.

    Example:
        >>> json_text({"title": "Thé \udcff"})
        '{"title": "Thé \\udcff"}'
    """
    text = json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: _escaped(found[0]), text)


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _HIDDEN and letter not in _JOINERS


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
