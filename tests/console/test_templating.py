"""Templates: each can be compiled, and is so once for all who work with it."""

from jinja2 import DictLoader

from console.catalogue import LANGUAGES
from console.templating import compile_all, environments


def test_every_template_compiles_and_is_kept() -> None:
    found = environments("Europe/Paris")
    compile_all(found)
    for one in found.values():
        assert one.cache is not None
        assert {"base.html", "situation.html", "incident/told.html"} <= {name for _, name in one.cache}


def test_templates_of_a_zone_are_made_once() -> None:
    assert environments("Europe/Paris") is environments("Europe/Paris")
    assert environments("Europe/Paris") is not environments("America/Cayenne")


def test_a_constant_is_said_in_each_language_although_they_share_their_code() -> None:
    templates = DictLoader({"constant": '{{ "witness" | term("author") }}'})
    french, english = (environments("Europe/Paris")[one].overlay(loader=templates) for one in LANGUAGES)
    assert french.get_template("constant").render() != english.get_template("constant").render()
