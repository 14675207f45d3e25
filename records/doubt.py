"""Doubt: what in a post or a statement speaks against what is told, before anybody has looked.

A doubt is no verdict: it is shown beside a post, which keeps its weight. What carries one corroborates nothing.
"""

from typing import Literal, get_args

Doubt = Literal["old_link", "recycled_text", "false_official"]
"""Old link: it points to a page of long ago. Recycled text: words known from another time or place. False official: it
speaks as an authority and comes from none of the accounts that the register holds."""

DOUBTS: tuple[Doubt, ...] = get_args(Doubt)
