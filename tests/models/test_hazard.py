"""The hazard model: its contract, whatever the text and whatever the batch."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.hazard import ARRAYS_FILE, CHECKSUMS_FILE, HEADS, WEIGHTS, HazardModel, read_arrays
from models.posts_corpus import CORPUS, read_part
from models.reading import PostReading
from records import ACTUALITIES, HAZARDS, BrokenInvariant

ROUNDING = 1.5e-6


@pytest.fixture(scope="module")
def model() -> HazardModel:
    return HazardModel.load()


def _read(model: HazardModel, text: str, lang: str | None = None) -> PostReading:
    [reading] = model.read([text], [lang])
    return reading


@pytest.mark.parametrize(
    ("text", "hazard"),
    [
        pytest.param("Énorme incendie dans l'immeuble d'en face, les pompiers arrivent", "fire", id="fire, French"),
        pytest.param("huge fire in the building opposite, flames out of the roof", "fire", id="fire, English"),
        pytest.param("La rivière a débordé, on a 40 cm d'eau dans la maison", "flood", id="flood, French"),
        pytest.param("the river burst its banks, our street is under water", "flood", id="flood, English"),
        pytest.param("forte odeur de gaz dans tout le quartier, c'est l'usine ?", "industrial", id="smell"),
        pytest.param("strong smell of ammonia from the chemical plant tonight", "industrial", id="smell, English"),
        pytest.param("bon anniversaire ma chérie, on t'aime", "none", id="chatter"),
        pytest.param("happy birthday to the best sister in the world", "none", id="chatter, English"),
    ],
)
def test_reads_plain_cases(model: HazardModel, text: str, hazard: str) -> None:
    assert _read(model, text).hazard == hazard


@pytest.mark.parametrize(
    ("text", "milder"),
    [
        pytest.param(
            "Incendie à la raffinerie, évacuation", "Exercice incendie à la raffinerie demain, évacuation", id="drill"
        ),
        pytest.param("inondation dans ma rue", "il y a 20 ans l'inondation dans ma rue, souvenir", id="memory"),
        pytest.param("le stade est en feu", "le stade est en feu, quel match, quel but !", id="sport"),
        pytest.param("flooding on our street", "flood warning: our street may flood tomorrow", id="forecast"),
    ],
)
def test_evidence_falls_where_it_is_not_happening(model: HazardModel, text: str, milder: str) -> None:
    now, not_now = _read(model, text), _read(model, milder)
    strongest = max(now.likelihood_ratios, key=lambda hazard: now.likelihood_ratios[hazard])
    assert not_now.likelihood_ratios[strongest] < now.likelihood_ratios[strongest]


def test_a_reading_keeps_its_contract(model: HazardModel) -> None:
    for reading in model.read([post.text for post in read_part(CORPUS / "train")[:64]], ["fr"] * 64):
        assert tuple(reading.hazards) == tuple(reading.likelihood_ratios) == HAZARDS
        assert all(0 <= p <= 1 for p in (*reading.hazards.values(), reading.witness))
        assert all(0.001 <= ratio <= 1000 for ratio in reading.likelihood_ratios.values())
        assert reading.actuality in ACTUALITIES
        assert reading.hazard in ("fire", "flood", "industrial", "none")
        assert msgspec.json.decode(msgspec.json.encode(reading), type=PostReading) == reading


def test_a_reading_does_not_depend_on_its_batch(model: HazardModel) -> None:
    texts = [post.text for post in read_part(CORPUS / "train")[::40]]
    together = model.read(texts, [None] * len(texts))
    for start in range(0, len(texts), 7):
        apart = model.read(texts[start : start + 7], [None] * len(texts[start : start + 7]))
        for one, other in zip(apart, together[start:], strict=False):
            assert one.language == other.language
            for hazard in HAZARDS:
                assert one.hazards[hazard] == pytest.approx(other.hazards[hazard], abs=ROUNDING)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("  \n\t ", id="white space"),
        pytest.param("🔥🔥🔥 🚒", id="emojis only"),
        pytest.param("x" * 100_000, id="endless letters"),
        pytest.param("\x00\x01\udc80\ufffe" * 50, id="bytes that are no text"),
        pytest.param("!!! 112 ???", id="no word"),
    ],
)
def test_what_cannot_be_read_gets_the_base_rates(model: HazardModel, text: str) -> None:
    reading = _read(model, text)
    assert reading == _read(model, "")
    assert set(reading.likelihood_ratios.values()) == {1.0}
    assert reading.hazard == "none"


def test_a_long_text_in_mixed_languages_is_read(model: HazardModel) -> None:
    assert _read(model, "fire at the usine, il y a des flammes, мы видим дым " * 3000, "fr").hazard != "none"


def test_nothing_in_nothing_out(model: HazardModel) -> None:
    assert model.read([], []) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=200), max_size=4), st.sampled_from([None, "fr", "en-GB", "und", "??", "xx"]))
def test_any_text_gets_a_reading(model: HazardModel, texts: list[str], lang: str | None) -> None:
    readings = model.read(texts, [lang] * len(texts))
    assert len(readings) == len(texts)
    assert all(np.isfinite(list(r.hazards.values())).all() for r in readings)


def test_refuses_weights_that_were_changed(tmp_path: Path) -> None:
    shutil.copy(WEIGHTS / CHECKSUMS_FILE, tmp_path)
    content = bytearray((WEIGHTS / ARRAYS_FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / ARRAYS_FILE).write_bytes(content)
    with pytest.raises(BrokenInvariant, match="the weights were changed"):
        read_arrays(tmp_path)


def test_refuses_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(BrokenInvariant, match="cannot be read"):
        read_arrays(tmp_path)


def test_refuses_weights_of_another_shape() -> None:
    arrays = read_arrays(WEIGHTS)
    with pytest.raises(BrokenInvariant, match=r"meaning has shape \(3, 2\)"):
        HazardModel(arrays | {"meaning": np.zeros((3, 2))})


def test_refuses_weights_without_their_network() -> None:
    arrays = read_arrays(WEIGHTS)
    with pytest.raises(BrokenInvariant, match="the network lacks p1: reinstall"):
        HazardModel({name: array for name, array in arrays.items() if name != "network/p1"})
    with pytest.raises(BrokenInvariant, match="the network lacks b1_2, b1_3"):
        HazardModel({name: array for name, array in arrays.items() if not name.startswith("network/")})


def test_the_weights_are_small() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 14_000_000
    assert len(HEADS) == 16


@pytest.mark.parametrize("link", ["https://t.co/Ab3dEf9", "www.example.org/a?b=c", "http…"])
def test_a_link_does_not_change_what_is_read(model: HazardModel, link: str) -> None:
    text = "petite balade au bord de la rivière ce matin"
    assert _read(model, f"{text} {link}") == _read(model, text)


def test_a_link_alone_gives_base_rates(model: HazardModel) -> None:
    assert _read(model, "https://t.co/incendie").hazards == _read(model, "").hazards


def test_a_reading_names_the_share_its_ratios_were_made_with(model: HazardModel) -> None:
    reading = _read(model, "la rivière est dans la rue, les voitures flottent")
    assert tuple(reading.class_shares) == HAZARDS
    for hazard, ratio in reading.likelihood_ratios.items():
        share = reading.class_shares[hazard]
        odds = ratio * share / (1 - share)
        assert 0 < share < 0.5
        if 0.001 < ratio < 1000:
            assert odds / (1 + odds) <= reading.hazards[hazard] + 1e-5  # now is never likelier than at all


@pytest.mark.parametrize(
    ("text", "lang", "is_degraded"),
    [
        pytest.param("fumée noire sur le port ce matin", "fr", False, id="French"),
        pytest.param("black smoke over the port this morning", "en", False, id="English"),
        pytest.param("humo negro sobre el puerto esta mañana", "es", True, id="Spanish"),
        pytest.param("feu", None, False, id="nobody can tell"),
    ],
)
def test_other_languages_are_marked(model: HazardModel, text: str, lang: str | None, is_degraded: bool) -> None:
    assert _read(model, text, lang).is_degraded is is_degraded
