"""Language: in which language a short post is written."""

from collections.abc import Sequence

from models.folding import words_of
from models.language_letters import read_letters

_COMMON_WORDS = {
    "fr": """je tu il elle nous vous ils elles le la les un une des du de et est pas dans sur pour avec ce cette ces
        mon ma mes ton son sa ses leur qui que quoi ou mais donc car ca c j d l n qu au aux en y a ai as sont ont suis
        fait plus tout tous bien tres chez depuis jour rien moi toi lui jai cest meme comme quand si ne se par vers
        encore deja ici voila merci alors apres avant juste trop qqn svp jsuis ya""",
    "en": """the a an i you he she it we they is are was were be been to of in on at and or but not for with from this
        that these those my your his her our their what who where when why how just so if as by up out about all any
        can t s don there here have has had do does did will would im its ve ll re m get got now me them no""",
    "es": """el los las una unos unas de del y es en que con por para no se lo su sus mi tu pero como mas muy este esta
        esto yo nos ya hay fue son al le me te si porque cuando donde todo todos hoy""",
    "pt": """o os as um uma de do da dos das e em no na nos nas que com por para nao se seu sua meu minha mas como mais
        muito este esta isso eu voce foi sao ao pelo pela ja tem hoje pra""",
    "it": """il lo gli un una di del della dei e in nel nella che con per non si suo sua mio mia ma come piu molto
        questo questa io sono ha ho al alla anche ci mi ti oggi sul""",
    "de": """der die das ein eine einen und ist in im nicht mit fur von zu auf den dem des ich du er sie es wir ihr
        aber wie auch so noch nur war sind hat habe bei am um wenn was""",
    "nl": """de het een en is in van niet met voor op te dat die ik je hij ze we maar ook nog wel naar aan bij als dan
        er zijn was heb""",
}
_OTHER_LANGUAGES = ("ar", "el", "he", "hi", "ja", "ko", "pl", "ru", "th", "tr", "uk", "zh")
LANGUAGES = (*_COMMON_WORDS, *_OTHER_LANGUAGES)
"""What a text may be found to be in."""

_CLEAR_LEAD = 2  # common words more than the next language: clear enough without asking the slow model
_CONTRADICTS = 4  # common words more than the platform's language: the platform is wrong
_SURE = 0.8
_FEWEST_LETTERS = 6


def _words_by_language() -> dict[str, tuple[str, ...]]:
    languages: dict[str, list[str]] = {}
    for language, words in _COMMON_WORDS.items():
        for word in words.split():
            languages.setdefault(word, []).append(language)
    return {word: tuple(spoken) for word, spoken in languages.items()}


class LanguageModel:
    """Names the language of short texts: common words first, then n-grams of letters (`language_letters.py`).

    Shape   texts and the platform's languages in, ISO 639-1 codes out in the same order; None where nobody can tell
    Errors  none on any text
    Source  Lui and Baldwin, ACL 2012 (langid.py)
    """

    def __init__(self) -> None:
        self._spoken = _words_by_language()
        self._identifier = read_letters()

    def languages(self, texts: Sequence[str], given: Sequence[str | None]) -> list[str | None]:
        """Return each text's language; what the platform says stands unless the words clearly contradict it."""
        return [self._language(text, said) for text, said in zip(texts, given, strict=True)]

    def _language(self, text: str, said: str | None) -> str | None:
        counts = dict.fromkeys(_COMMON_WORDS, 0)
        for word in words_of(text[:1000]):
            for language in self._spoken.get(word, ()):
                counts[language] += 1
        best, second = sorted(counts, key=counts.__getitem__, reverse=True)[:2]
        platform = _code(said)
        if platform:
            contradicted = counts[best] - counts.get(platform, 0) >= _CONTRADICTS
            return best if contradicted else platform
        if counts[best] - counts[second] >= _CLEAR_LEAD:
            return best
        if sum(map(str.isalpha, text[:100])) < _FEWEST_LETTERS:
            return None
        language, probability = self._identifier.classify(text[:300].encode("utf-8", "replace"))
        return str(language) if probability >= _SURE else None


def _code(said: str | None) -> str | None:
    """Return a platform's language tag as ISO 639-1, or None where it says nothing ("und", "", "zxx")."""
    code = (said or "").lower().replace("_", "-").partition("-")[0]
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None  # noqa: PLR2004
