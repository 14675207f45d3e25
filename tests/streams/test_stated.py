"""Stated: each hazard hears the bulletins that concern it, in order, and whether they deny."""

from datetime import UTC, datetime
from typing import Any

import pytest

from records import Bulletin
from records.signal import HAZARDS, Hazard
from streams.stated import read, statements

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
ALL: tuple[Hazard, ...] = ("fire", "flood", "industrial", "other")


def bulletin(text: str = "Torche visible", **more: Any) -> Bulletin:
    fields: dict[str, Any] = {"kind": "operator_notice", "area": "76", "issued_at": AT, "received_at": AT}
    return Bulletin(bulletin_id="b1", source="notices", text=text, **(fields | more))


def test_what_is_left_open_concerns_every_hazard_and_the_rest_its_own() -> None:
    said = [bulletin(), bulletin(hazard="flood")]
    told = [(one.hazard, one.area, one.said) for one in statements(said, ALL)]
    assert told == [(hazard, "76", said[0]) for hazard in HAZARDS] + [("flood", "76", said[1])]


@pytest.mark.parametrize(
    ("text", "more", "denies"),
    [
        pytest.param("Aucun incident en cours sur nos installations", {}, True, id="an operator denies"),
        pytest.param("Incendie sur notre site. Aucune fuite de produit.", {}, False, id="an operator announces"),
        pytest.param("Aucune fuite de gaz", {"phenomenon": "incident"}, False, id="it announces an incident"),
        pytest.param(
            "Crue soudaine, évacuez. Les autres informations sont fausses.", {"kind": "other"}, False, id="an order"
        ),
        pytest.param("Rumeur infondée, il n'y a pas d'incendie", {"kind": "other"}, True, id="an authority denies"),
        pytest.param("Torche visible jusqu'à 18 h", {}, False, id="an operator announces"),
        pytest.param("Aucun incident en cours", {"kind": "vigilance"}, False, id="a vigilance expects nothing"),
        pytest.param("Fausse alerte", {"kind": "siren_test"}, False, id="a test of sirens"),
        pytest.param("Torche visible", {"is_denial": True}, True, id="its source said so"),
    ],
)
def test_a_bulletin_denies_where_it_is_of_a_kind_that_may(text: str, more: dict[str, Any], denies: bool) -> None:
    assert read(bulletin(text, **more)).is_denial is denies
