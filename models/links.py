"""Links: the addresses in a post. They say where a copy points to, and nothing of what happened."""

import re

LINK = re.compile(r"(?:https?://|(?<!\w)www\.(?=\w))[^\s<>\"'»”]+", re.IGNORECASE)  # not "Ewww..."
_CUT_SHORT = re.compile(r"\bhttps?\S{0,3}$", re.IGNORECASE)  # what a platform's limit left of a link at the end


def without_links(text: str) -> str:
    """Return the text as it is read for its meaning."""
    return _CUT_SHORT.sub("", LINK.sub(" ", text)).strip()
