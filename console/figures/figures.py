"""Figures: numbers as people read them, in their language, no more exact than they are."""

from math import floor, log10

from babel.numbers import format_decimal

from console.catalogue import Language

WHOLE = 10.0  # from here on nothing behind the comma


def figure(number: float, language: Language) -> str:
    """Return a number with two significant digits, or as a whole one of two digits and more."""
    if number == 0.0:
        return "0"
    digits = 0 if abs(number) >= WHOLE else 1 - floor(log10(abs(number)))
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return str(format_decimal(round(number, digits), format=pattern, locale=language))
