"""The map that comes with Vigie: whole, in both languages, on all its channels, and careful."""

import re
from itertools import chain

import pytest

from console.messages.channels import Channel, foreign, length_on, page_length, paged_length
from console.messages.facts import typed
from console.messages.filling import fill
from console.messages.map_files import SHIPPED, check_map, shipped_map
from console.messages.message_map import LANGUAGES, NEEDED, PLACEHOLDER, PLAIN, STAGES, Language, Message, MessageMap

MESSAGES = tuple(shipped_map().messages.values())
EMERGENCY = {"15", "17", "18", "112", "114"}
WIDE = {"clock": "23:59", "number": "999999", "phone": "+33 999 999 999"}


def texts_of(message: Message) -> list[tuple[Language, Channel, str]]:
    return [
        (language, channel, "\n".join(parts))
        for language in LANGUAGES
        for channel, parts in message.texts(language).parts()
    ]


def test_nothing_is_to_be_mended() -> None:
    assert [str(finding) for finding in check_map(SHIPPED)] == []


def test_it_is_large_enough_to_be_of_use(shipped: MessageMap) -> None:
    assert len(shipped.messages) >= 40
    asked_for = {"fire", "flood", "smoke", "odour", "noise", "siren_test", "operator_notice", "end", "rumour"}
    assert asked_for <= set(shipped.situations)
    assert {stage for message in MESSAGES for stage in [message.stage]} == set(STAGES)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.id)
def test_a_message_filled_with_the_longest_values_is_ready_everywhere(message: Message, shipped: MessageMap) -> None:
    facts = []
    for name in message.placeholders:
        one = shipped.placeholders[name]
        facts.append(typed(name, WIDE.get(one.kind, "W" * one.most)))
    filled = fill(message, facts, shipped.placeholders)
    assert filled.is_ready, filled.missing
    for words in filled.texts:
        if words.channel in PLAIN:
            assert not foreign(words.text)
        if words.channel == "cell":
            assert paged_length(words.pages).fits
            assert all(page_length(page).fits for page in words.pages)
        assert length_on(words.channel, words.text).fits or words.channel == "cell"
    assert {(words.language, words.channel) for words in filled.texts} >= {
        (language, channel) for language in LANGUAGES for channel in NEEDED[message.audience]
    }


@pytest.mark.parametrize(
    "message", [one for one in MESSAGES if not STAGES[one.stage].allows_facts], ids=lambda message: message.id
)
def test_where_nothing_is_confirmed_no_text_holds_a_fact(message: Message, shipped: MessageMap) -> None:
    for _, _, text in texts_of(message):
        names = PLACEHOLDER.findall(text)
        assert not [name for name in names if shipped.placeholders[name].is_fact]
        assert "cell" not in {channel for _, channel, _ in texts_of(message)}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.id)
def test_no_number_stands_in_a_text_but_those_of_emergencies(message: Message) -> None:
    for _, _, text in texts_of(message):
        numbers = set(re.findall(r"(?<![\w{])\d{2,}(?!\w)", text))
        assert numbers <= EMERGENCY


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.id)
def test_both_languages_say_the_same_on_the_same_channels(message: Message) -> None:
    said = {language: {} for language in LANGUAGES}  # type: ignore[var-annotated]
    for language, channel, text in texts_of(message):
        said[language][channel] = (set(PLACEHOLDER.findall(text)), set(re.findall(r"(?<!\w)\d{2,3}(?!\w)", text)))
    assert said["fr"] == said["en"]


def test_every_placeholder_is_used(shipped: MessageMap) -> None:
    used = set(chain.from_iterable(message.placeholders for message in MESSAGES))
    assert set(shipped.placeholders) == used


@pytest.mark.parametrize("situation", ["fire", "flood", "smoke", "unclear"])
def test_who_is_told_to_shelter_is_told_about_school_and_telephone(situation: str, shipped: MessageMap) -> None:
    message = shipped.messages[f"{situation}-confirmed-population"]
    cell = "\n".join(message.fr.cell)
    for advice in ("école", "Ne téléphonez qu'en cas d'urgence", "18 ou 112", "114 par SMS", "{official_account}"):
        assert advice in cell
    assert "school" in "\n".join(message.en.cell)
