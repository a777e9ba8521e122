"""HTML in texts of a shop: left out of what the language model reads."""

from __future__ import annotations

import html
import re

_ELEMENTS = (
    "a|abbr|address|article|aside|b|blockquote|body|br|button|caption|center|cite|code|col|colgroup|dd"
    "|del|details|div|dl|dt|em|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe"
    "|img|input|ins|label|li|link|main|mark|meta|nav|noscript|ol|option|p|picture|pre|q|s|section"
    "|select|small|source|span|strike|strong|sub|summary|sup|svg|table|tbody|td|textarea|tfoot|th"
    "|thead|title|tr|tt|u|ul|video|wbr"
)
_INVISIBLE = re.compile(r"<!--.*?-->|<(script|style)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_ELEMENTS})(?:\s[^<>]*|/)?>|<!doctype[^<>]*>", re.IGNORECASE)


def without_markup(text: str) -> str:
    """The words of a text: tags of HTML become spaces, character references their characters.

    Only names of HTML elements count as tags, so `I <3 it` and `<y>` stay. Comments, scripts and
    styles go with their content.

    Example:
        >>> without_markup("<p>Cups &amp; <b>mugs</b></p><br/>").split()
        ['Cups', '&', 'mugs']
    """
    if "<" not in text and "&" not in text:
        return text
    return html.unescape(_TAG.sub(" ", _INVISIBLE.sub(" ", text))).strip()
