"""The scenario library: every scenario that ships is whole, and what is wrong with one of a town's own is all told."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console

from models.places import Gazetteer, shipped_gazetteer
from records import SettingsError, SystemClock, Truth, decode
from vigie.replay import read_posts
from vigie.scenarios.checking import problems_with
from vigie.scenarios.listing import Language, happenings_of, table_of
from vigie.scenarios.scenario import Scenario, library, read_scenario, scenario_from
from vigie.scenarios.writing import write_new
from vigie.settings import UnusableSettings

HEAD = (
    'name = { fr = "Un soir" }\nsummary = { fr = "Rien" }\nhome = "76351"\nstarts_at = 2026-03-03T18:00:00\n'
    "hours = 12\n"
)
HAPPENING = (
    '[[happenings]]\nid = "fire"\nhazard = "fire"\nname = { fr = "Le feu" }\nbegan_at = 2026-03-03T19:00:00\n'
    'insee = "76351"\n'
)
COLUMNS = "time\tsource\tauthor\tmarks\thappening\ttext\n"
POST = "19:05:00\tfacebook\tw1\t\tfire\til y a le feu\n"

Runs = Callable[..., Result]
Tells = Callable[..., list[str]]


@pytest.fixture
def told(tmp_path: Path) -> Tells:
    """Write a scenario and return all that is wrong with it, without the name of its folder."""

    def problems(toml: str = HEAD + HAPPENING, posts: str = COLUMNS + POST, **more: str) -> list[str]:
        (tmp_path / "scenario.toml").write_text(toml, encoding="utf-8")
        (tmp_path / "posts.tsv").write_text(posts, encoding="utf-8")
        for name, text in more.items():
            (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
        return [str(one).replace(f"{tmp_path}/", "") for one in read_scenario(tmp_path)[1]]

    return problems


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return shipped_gazetteer()


@pytest.mark.parametrize("name", library())
def test_a_scenario_that_ships_is_whole(name: str, gazetteer: Gazetteer) -> None:
    scenario = scenario_from(name)
    assert len({post["id"] for post in scenario.all_posts}) == len(scenario.all_posts) > 300
    assert scenario.title.fr
    assert scenario.title.en
    assert scenario.summary.en
    truth = scenario.truth(gazetteer)
    assert len(truth.incidents) + len(truth.false_ones) == len(scenario.happenings)
    for one in (*truth.incidents, *truth.false_ones):
        assert one.place is not None
        assert one.first_post_at is not None
        assert one.post_ids
        assert one.began_at <= one.first_post_at
    assert scenario.home == gazetteer.home_place(scenario.home).insee


def test_the_truth_of_a_scenario_says_what_happened_and_what_did_not(gazetteer: Gazetteer) -> None:
    scenario = scenario_from("lubrizol_2019")
    truth = scenario.truth(gazetteer)
    (fire,), (forged,) = truth.incidents, truth.false_ones
    assert (fire.incident_id, fire.hazard, fire.label["en"]) == ("fire", "fire", "The fire at the works")
    assert fire.official_at == datetime(2019, 9, 26, 3, 45, tzinfo=UTC)
    assert fire.first_post_at == scenario.at("02:42:10")
    assert fire.place is not None
    assert fire.place.insee == "76540"
    assert len(forged.post_ids) == 3
    assert truth.is_complete


def test_a_scenario_is_the_same_each_time() -> None:
    assert scenario_from("national_chatter").all_posts == scenario_from("national_chatter").all_posts


def test_what_is_written_well_has_no_problem(told: Tells) -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            HEAD + HAPPENING.replace('"fire"\nname', '"fires"\nname'),
            [
                "scenario.toml: line 8: happenings.0.hazard: found 'fires'; "
                'give "fire", "flood", "industrial" or "other"'
            ],
            id="another hazard",
        ),
        pytest.param(
            HEAD.replace("hours = 12", "ours = 12") + HAPPENING,
            [
                "scenario.toml: hours: is missing; give how many hours it lasts, 7 days at most",
                "scenario.toml: line 5: ours: is no key here; did you mean hours?",
            ],
            id="a misspelt key",
        ),
        pytest.param(
            HEAD + HAPPENING + "lat = 49.5\n",
            ["scenario.toml: line 6: happenings.0: give insee, or lat and lon"],
            id="two places",
        ),
        pytest.param(
            HEAD + HAPPENING + HAPPENING + "ended_at = 2026-03-03T18:30:00\n",
            [
                "scenario.toml: line 13: happenings.1.id: 'fire' stands twice; give another id",
                "scenario.toml: line 18: happenings.1.ended_at: is before began_at; mend one of the two",
            ],
            id="twice the same, and over before it begins",
        ),
        pytest.param(
            HEAD + HAPPENING + '[sites."Usine du port"]\nlat = 149.5\nlon = 0.1\n',
            ["scenario.toml: line 13: sites.Usine du port.lat: found 149.5; give its latitude in degrees"],
            id="a site off the globe",
        ),
        pytest.param(
            HEAD + HAPPENING + "[everyday]\ntown = 3\n",
            [
                "scenario.toml: line 13: everyday.town: found 3; give the home commune, as people there write it",
                "scenario.toml: line 12: everyday.around: is missing; "
                'give communes near by, as in ["Harfleur", "Montivilliers"]',
            ],
            id="an everyday without neighbours",
        ),
        pytest.param(
            HEAD + HAPPENING + '[everyday]\ntown = "x"\naround = ["y"]\nplatforms = { facebook = -1 }\n',
            [
                "scenario.toml: line 15: everyday.platforms.facebook: found -1; "
                "give the share of each platform, as in { facebook = 0.4, twitter = 0.6 }"
            ],
            id="a share below nothing",
        ),
        pytest.param(
            HEAD + "[[happenings\n",
            [
                "scenario.toml: line 6, column 13: is not TOML: Expected ']]' at the end of an array declaration; "
                "mend that line; texts need quotes, tables [brackets]"
            ],
            id="no TOML",
        ),
        pytest.param(
            'zone = "Europe/Le_Havre"\nlocal_places = "places.csv"\n' + HEAD + HAPPENING,
            [
                "scenario.toml: line 1: zone: found 'Europe/Le_Havre'; "
                'give the zone of its clock, as in "Europe/Paris"'
            ],
            id="no zone",
        ),
        pytest.param(
            'local_places = "places.csv"\n' + HEAD + HAPPENING + '[[duty]]\nname = "x"\nnumber = "00"\n',
            [
                "scenario.toml: line 1: local_places: there is no file places.csv; write it, or leave the key out",
                "scenario.toml: line 13: duty: duty.0: 'x' is for nothing; give site, insee or area",
            ],
            id="files that are not there, numbers for nothing",
        ),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_line_and_key(toml: str, expected: list[str], told: Tells) -> None:
    assert told(toml) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("19:05\tfacebook\tw1\til y a le feu\n", "4 cells; give 6, with tabs between them", id="cells"),
        pytest.param("7 pm\tfacebook\tw1\t\t\tx\n", "time '7 pm'; give the clock's, as 12:15:00", id="no time"),
        pytest.param("+x 19:05\tfacebook\tw1\t\t\tx\n", "time '+x 19:05'; give the clock's", id="no day"),
        pytest.param("19:05\tFace Book\tw1\t\t\tx\n", "source 'Face Book'; give a platform's name", id="no source"),
        pytest.param("19:05\tfacebook\t\t\t\tx\n", "no author; give an invented name", id="nobody"),
        pytest.param(
            "19:05\tfacebook\tw1\tphoto\t\tx\n", "mark 'photo'; give one of image, video, official", id="a mark"
        ),
        pytest.param("19:05\tfacebook\tw1\t@w9\t\tx\n", "mark '@w9': no post above has this id or author", id="whose?"),
        pytest.param("19:05\tfacebook\tw1\t\t\t\n", "a text of 0 characters; give 1 to 10000", id="no text"),
        pytest.param(
            "19:05\tfacebook\tw1\t\tfier\tx\n", "happening 'fier' is not told of; write [[happenings]]", id="what?"
        ),
        pytest.param("+1 19:05\tfacebook\tw1\t\t\tx\n", "is said at 2026-03-04T19:05:00+01:00, when it", id="too late"),
    ],
)
def test_what_is_wrong_in_the_posts_is_told_with_its_line(line: str, expected: str, told: Tells) -> None:
    (problem,) = told(posts=COLUMNS + POST + line)
    assert problem.startswith(f"posts.tsv: line 3: {expected}")


def test_all_files_are_looked_at_in_one_go(told: Tells) -> None:
    found = told(
        HEAD.replace("12", "0"),
        "time\tsource\tauthor\ttext\n19h\tfacebook\tw1\tx\n19:05\tfacebook\tw1\tx\tx\n",
    )
    assert [one.split(": ")[:2] for one in found] == [
        ["scenario.toml", "line 5"],
        ["posts.tsv", "line 2"],
        ["posts.tsv", "line 3"],
    ]
    found = told(
        HEAD + HAPPENING + '[everyday]\ntown = "x"\naround = ["y"]\nsentences = "own.tsv"\n',
        COLUMNS + "25:00\tfacebook\tw1\t\t\tx\n",
        notices_csv="site;phénomène;début\nUsine;danse;03/03/2026 19:00\n",
        own_tsv="topic\twhen\tframe\nvie\tmidi\tbonjour\n",
    )
    assert [one.split(": ")[:2] for one in found] == [
        ["own.tsv", "line 2"],
        ["posts.tsv", "line 2"],
        ["notices.csv", "line 2"],
    ]


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ("topic\twhen\tframe\nvie\tany\tbonjour {person}\n", []),
        ("vie\tany\tbonjour\n", ["own.tsv: line 1: found 'vie\\tany\\tbonjour'; the columns are topic when frame"]),
        ("topic\twhen\tframe\nvie\tany\t{robot}\n", ["own.tsv: line 2: {robot} is nothing that can be filled in"]),
        (
            "topic\twhen\tframe\nvie\tnight\tdodo\n",
            ["own.tsv: no sentence without the words of a danger fits every hour; mark some with any"],
        ),
    ],
)
def test_sentences_of_a_town_s_own_are_looked_at(sentences: str, expected: list[str], told: Tells) -> None:
    toml = HEAD + HAPPENING + '[everyday]\ntown = "x"\naround = ["y"]\nsentences = "own.tsv"\n'
    found = told(toml, own_tsv=sentences)
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def test_ordinary_posts_are_made_of_a_town_s_own_sentences(tmp_path: Path, told: Tells) -> None:
    toml = HEAD + HAPPENING + '[everyday]\ntown = "x"\naround = ["y"]\nsentences = "own.tsv"\n'
    assert told(toml, own_tsv="topic\twhen\tframe\nvie\tany\tbonjour\n") == []
    scenario, _ = read_scenario(tmp_path)
    assert scenario is not None
    ordinary = [post for post in scenario.all_posts if post["id"] not in scenario.happening_of]
    assert len(ordinary) > 500
    assert sum("onjour" in post["text"].lower() for post in ordinary) > len(ordinary) * 0.8


def test_marks_say_who_speaks_and_of_whose_post(told: Tells, tmp_path: Path) -> None:
    lines = (
        "19:06\ttwitter\tw2\timage press\t\tx\n",
        "19:07\ttwitter\tw3\t@w2\t\tx\n",
        "19:08\ttwitter\tw3\t~e0002\t\tx\n",
        "19:09\ttwitter\tw3\t>w3\t\tx\n",
    )
    assert told(posts=COLUMNS + POST + "".join(lines)) == []
    scenario, _ = read_scenario(tmp_path)
    assert isinstance(scenario, Scenario)
    second, third, fourth, fifth = scenario.own[1:]
    assert (second["media"], second["author_kind"]) == ([{"type": "image"}], "press")
    assert (third["repost_of"], fourth["quote_of"], fifth["reply_to"]) == ("e0002", "e0002", "e0004")


def test_a_scenario_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"lubrizol: is no scenario; did you mean lubrizol_2019\?"):
        scenario_from("lubrizol")
    with pytest.raises(UnusableSettings, match=r"scenario\.toml: cannot be read: No such file or directory"):
        scenario_from(str(tmp_path))


def test_communes_that_are_not_there_are_told(told: Tells, tmp_path: Path) -> None:
    told(HEAD.replace("76351", "76999") + HAPPENING.replace("76351", "76998"))
    found = [str(one).replace(f"{tmp_path}/", "") for one in problems_with(tmp_path)]
    assert [one.split(": ")[:3] for one in found] == [
        ["scenario.toml", "line 3", "home"],
        ["scenario.toml", "line 11", "happenings.0.insee"],
    ]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", ["Faux communiqué. Un faux communiqué circule", "76351", "12", "903", "(faux)", "Le feu d'entrepôt"]),
        ("en", ["A forged communiqué. A forged communiqué goes", "76351", "12", "903", "(false)", "The fire in a"]),
    ],
)
def test_each_is_listed_with_what_it_tells(language: Language, expected: list[str]) -> None:
    file = StringIO()
    Console(file=file, width=300).print(table_of([scenario_from("rumour")], language))
    assert all(words in file.getvalue() for words in expected), file.getvalue()
    assert happenings_of(scenario_from("trap_day"), language) == [{"fr": "rien", "en": "nothing"}[language]]


def test_the_list_names_all_that_ship(vigie: Runs) -> None:
    listed = vigie("scenario", "list").stdout
    assert all(name[:8] in listed for name in library())


async def test_it_is_written_as_a_recording_with_the_truth_beside_it(vigie: Runs, tmp_path: Path) -> None:
    posts, truth = tmp_path / "posts.jsonl", tmp_path / "truth.json"
    result = vigie("scenario", "write", "rumour", "--posts", posts, "--truth", truth)
    assert result.exit_code == 0, result.stderr
    found, bad = await read_posts([posts], SystemClock())
    assert (len(found), bad) == (903, [])
    told = decode(truth.read_bytes(), Truth)
    assert [one.incident_id for one in told.incidents] == ["fire"]
    assert told.incidents[0].post_ids <= {post.id for post in found}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["write", "rumour"], "nothing to write; give --posts FILE"),
        (["write", "rumour", "--posts", "none/posts.jsonl"], "cannot be written: No such file or directory"),
        (["write", "rumor", "--posts", "p"], "rumor: is no scenario; did you mean rumour?"),
        (["new", "x", "--home", "99999"], "99999"),
    ],
)
def test_what_cannot_be_done_is_one_message(arguments: list[str], expected: str, vigie: Runs) -> None:
    result = vigie("scenario", *arguments)
    assert (result.exit_code, expected in result.stderr) == (2, True), result.stderr


def test_the_check_prints_a_line_a_problem(vigie: Runs, told: Tells, tmp_path: Path) -> None:
    told()
    assert vigie("scenario", "check", tmp_path).exit_code == 0
    told(posts=COLUMNS + "19h\tfacebook\tw1\t\t\tx\n")
    result = vigie("scenario", "check", tmp_path)
    assert (result.exit_code, result.stdout.count("\n"), "1 problem" in result.stderr) == (1, 1, True)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_new_scenario_can_be_played_as_it_is(language: str, tmp_path: Path) -> None:
    written = write_new(tmp_path / "ours", "Fécamp", language)
    assert [path.name for path in written] == ["scenario.toml", "posts.tsv"]
    assert problems_with(tmp_path / "ours") == []
    scenario = scenario_from(str(tmp_path / "ours"))
    assert (scenario.home, scenario.name, len(scenario.own)) == ("76259", "ours", 9)
    with pytest.raises(SettingsError, match="is there already"):
        write_new(tmp_path / "ours", "76259", language)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_the_template_leaves_out_can_be_put_in(language: str, tmp_path: Path) -> None:
    write_new(tmp_path, "76259", language)
    path = tmp_path / "scenario.toml"
    left_out: tuple[str, ...] = (
        "# [",
        "# letter",
        "# starts_at",
        "# hours",
        "# posts_a_day",
        "# lat",
        "# lon",
        "# radius_km",
        "# insee",
    )
    left_out += ("# name", "# number", "# site ", "# platform ", "# account", "# profile", "# ended_at", "# breaks")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line[2:] if line.startswith(left_out) else line for line in lines), encoding="utf-8")
    assert problems_with(tmp_path) == []
    assert len(scenario_from(str(tmp_path)).plans) == 2
