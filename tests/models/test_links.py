"""Links: what is taken out of a text before it is read, and what stays."""

import pytest

from models.links import LINK, without_links


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("fumée sur le port https://t.co/Ab3dEf9", "fumée sur le port", id="at the end"),
        pytest.param("https://t.co/x fumée", "fumée", id="at the beginning"),
        pytest.param("voir WWW.Mairie.fr/alerte, merci", "voir   merci", id="in the middle, with its comma"),
        pytest.param("« http://a.b/c » dit la mairie", "«   » dit la mairie", id="between quotes"),
        pytest.param("RT @ville: la crue monte http…", "RT @ville: la crue monte", id="cut short"),
        pytest.param("la crue monte https", "la crue monte", id="cut shorter"),
        pytest.param("the http protocol is slow today", "the http protocol is slow today", id="a word, no link"),
        pytest.param("", "", id="nothing"),
        pytest.param("https://t.co/x", "", id="nothing else"),
    ],
)
def test_takes_links_out(text: str, said: str) -> None:
    assert without_links(text) == said
    assert without_links(said) == said


def test_finds_every_link() -> None:
    assert LINK.findall("a https://t.co/x, b www.c.d/e") == ["https://t.co/x,", "www.c.d/e"]
