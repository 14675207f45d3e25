"""Plain letters: the one spelling under which the gate and the reader compare texts."""

import unicodedata


def _letter_table() -> bytes:
    """Return what each Latin-1 character becomes: its plain small letter, its digit, or a space."""
    table = bytearray(b" " * 256)
    for code in range(256):
        plain = unicodedata.normalize("NFD", chr(code).lower())[0]
        if plain.isascii() and plain.isalnum():
            table[code] = ord(plain)
    return bytes(table)


_LETTERS = _letter_table()
_PICTURES = tuple(zip("🔥💥🌊🚒🚨", ("emojifire", "emojiblast", "emojiwave", "emojifire", "emojisiren"), strict=True))


def words_of(text: str) -> list[str]:
    """Return the words of a text, in plain small letters and digits."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("œ", "oe").replace("Œ", "oe")
        for picture, word in _PICTURES:
            if picture in text:  # costs nothing in a text without any picture
                text = text.replace(picture, f" {word} ")
    return text.encode("latin-1", "replace").translate(_LETTERS).decode("ascii").split()


def joined(words: list[str]) -> str:
    """Return words as one text, one space around each."""
    return f" {' '.join(words)} "


def folded(text: str) -> str:
    """Return the words of a text in plain small letters and digits, one space around each.

    Shape   "L'incendie, #Rouen 🔥" -> " l incendie rouen emojifire "; without Latin letters or digits -> "  "
    """
    return joined(words_of(text))
