"""The wall: what is open, where, and whether Vigie listens at all; read from the other end of the room."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.grafana.drawing import GREEN, GREY, ORANGE, RED, Column, PanelBuilder, Pen, Query, Value
from deploy.grafana.words import COLOURS, HAZARDS, LEVELS, WAYS, Words

UID = "vigie-watch"
TITLE = Words("Vigie : veille", "Vigie: watch")
ABOUT = Words(
    "Pour le mur de la salle : incidents en cours, et ce que Vigie n'entend pas. Chaque incident est un signal à "
    "vérifier.",
    "For the wall of the room: open incidents, and what Vigie does not hear. Each incident is a signal to verify.",
)
SPAN, REFRESH = "now-24h", "10s"

LISTENS = 'sum(vigie_source_state{state="listening"})'
LOOKED_AT = "time() - min(vigie_sources_looked_at_timestamp_seconds) < 60"
DECIDES = 'max(up{job="vigie-worker"})'
LOOKS = f"({LISTENS} > 0) and on() ({LOOKED_AT}) and on() ({DECIDES} > 0)"
"""There while a source is listened to, by a process that is awake, and somebody decides on what it says: only then does
"none" mean none."""

RANKS = (("confirmed", 4), ("alert", 3), ("watch", 2), ("monitoring", 1))
RANKED = " or ".join(f'(vigie_incident_active{{level="{level}"}} * {rank})' for level, rank in RANKS)
"""Open incidents, each with a number that grows with its level, for colours and order."""
LEVEL_OF = {str(rank): Value(LEVELS[level], COLOURS[level]) for level, rank in RANKS}
STEPS = (
    (None, COLOURS["monitoring"]),
    (2, COLOURS["watch"]),
    (3, COLOURS["alert"]),
    (4, COLOURS["confirmed"]),
)
UNKNOWN = Value(Words("ON NE SAIT PAS", "NOT KNOWN"), RED)
HAZARD_OF = {hazard: Value(words, GREY) for hazard, words in HAZARDS.items()}


def panels(pen: Pen) -> list[PanelBuilder | Row]:
    """Return the wall from top to bottom."""
    return [
        pen.stat(
            Words("Vigie écoute-t-elle ?", "Is Vigie listening?"),
            Words(
                "Combien de sources donnent signe de vie. AVEUGLE : aucune, ou plus personne ne lit ce qu'elles "
                "disent ; l'absence d'incident ne veut alors rien dire.",
                "How many sources show a sign of life. BLIND: none, or nobody reads what they say; no incident means "
                "nothing then.",
            ),
            [
                Query(
                    f"({LOOKS}) or vector(0)",
                    Words("sources écoutées", "sources listened to"),
                )
            ],
            unit="suffix: source(s)",
            steps=((None, RED), (1, GREEN)),
            values={"0": Value(Words("AVEUGLE", "BLIND"), RED)},
            missing=Words("PAS DE DONNÉES", "NO DATA"),
            size=(6, 5),
            big=True,
        ),
        _open(
            pen,
            Words("Alertes en cours", "Open alerts"),
            Words(
                "Incidents recoupés ou confirmés. « ON NE SAIT PAS » : Vigie n'écoute pas, ce n'est pas zéro.",
                "Incidents that independent voices agree on, or that people confirmed. NOT KNOWN: Vigie is not "
                "listening, that is not zero.",
            ),
            'level=~"alert|confirmed"',
            called=Words("alertes", "alerts"),
            colour=RED,
        ),
        _open(
            pen,
            Words("Veilles en cours", "Open watches"),
            Words(
                "Quelque chose sort de l'habituel ; parfois un seul témoin. À vérifier.",
                "Something is out of the ordinary; sometimes a single witness. To be verified.",
            ),
            'level="watch"',
            called=Words("veilles", "watches"),
            colour=ORANGE,
        ),
        pen.stat(
            Words("Heure", "Time"),
            Words(
                "L'heure de la dernière mise à jour. Si elle n'avance plus, cet écran est figé : ne pas s'y fier.",
                "The time of the last update. When it stands still this screen is frozen: do not rely on it.",
            ),
            [Query("vector(time()) * 1000", Words("heure", "time"))],
            unit="time:HH:mm:ss",
            steps=((None, "#2b2b2b"),),
            size=(6, 5),
            big=True,
        ),
        pen.map(
            Words("Où", "Where"),
            Words(
                "Incidents dont on connaît le lieu, au lieu dont on parle ; la croix grise est la commune. Bleu : "
                "suivi, orange : veille, rouge : alerte, violet : confirmé. Un incident sans lieu précis n'est que "
                "dans la liste.",
                "Incidents whose place is known, at the place that is spoken of; the grey cross is the home commune. "
                "Blue: monitoring, orange: watch, red: alert, purple: confirmed. An incident without an exact place "
                "is in the list alone.",
            ),
            Query(RANKED),
            Query("vigie_home"),
            steps=STEPS,
            size=(14, 14),
        ),
        pen.table(
            Words("Incidents en cours", "Open incidents"),
            Words(
                "Le plus grave en haut. Vide ne veut rien dire si Vigie est AVEUGLE. Les messages et les décisions "
                "sont dans la console.",
                "The gravest on top. Empty means nothing while Vigie is BLIND. Posts and decisions are in the console.",
            ),
            Query(RANKED),
            [
                Column("Value", Words("Niveau", "Level"), LEVEL_OF),
                Column("hazard", Words("Danger", "Hazard"), HAZARD_OF),
                Column("place", Words("Lieu", "Place")),
            ],
            apart="incident_id",
            big=True,
            missing=Words("Aucun, si Vigie écoute", "None, provided that Vigie listens"),
            size=(10, 14),
        ),
        pen.stat(
            Words("Ce que Vigie n'entend pas", "What Vigie does not hear"),
            Words(
                "Les voies par lesquelles un témoin pourrait nous atteindre. Rouge : rien ne nous parvient par là, "
                "soit qu'aucune source n'y soit réglée, soit qu'elle se taise. La console dit depuis quand et "
                "pourquoi.",
                "The ways by which a witness could reach us. Red: nothing reaches us that way, since no source is set "
                "there or since it is silent. The console says since when and why.",
            ),
            [Query("min by (way) (vigie_blind)", "{{way}}")],
            values={"0": Value(Words("écoute", "listening"), GREEN), "1": Value(Words("AVEUGLE", "BLIND"), RED)},
            names=WAYS,
            missing=Words("PAS DE DONNÉES : rien n'est écouté", "NO DATA: nothing is listened to"),
            size=(14, 4),
        ),
        pen.stat(
            Words("Alertes en 24 heures", "Alerts within 24 hours"),
            Words(
                "Incidents devenus alerte depuis hier à cette heure, vrais et faux. Les lignes d'en dessous disent "
                "lesquels et quand.",
                "Incidents that became an alert since yesterday at this hour, true and false ones. The lines below "
                "say which and when.",
            ),
            [
                Query(
                    'sum(increase(vigie_incidents_raised_total{level="alert"}[24h]))',
                    Words("alertes", "alerts"),
                )
            ],
            steps=((None, "#2b2b2b"),),
            decimals=0,
            size=(5, 4),
        ),
        pen.stat(
            Words("Pannes de Vigie", "Wrong with Vigie"),
            Words(
                "Combien de règles de Prometheus disent que Vigie elle-même ne va pas ; la liste est plus bas.",
                "How many rules of Prometheus say that something is wrong with Vigie itself; the list is below.",
            ),
            # VigieWatchdog always fires; where it does not, nobody looks after Vigie, and there is no figure at all.
            [Query('sum(ALERTS{alertstate="firing"}) - 1', Words("pannes", "faults"))],
            steps=((None, GREEN), (1, RED)),
            missing=Words("PERSONNE NE SURVEILLE", "NOBODY LOOKS"),
            size=(5, 4),
        ),
        pen.timeline(
            Words("Incidents des dernières 24 heures", "Incidents of the last 24 hours"),
            Words(
                "Un incident par ligne, avec son niveau au fil du temps : quand il a commencé, monté, fini.",
                "An incident a line, with its level as time went by: when it began, rose, ended.",
            ),
            [Query(f"max by (incident_id, hazard, place) ({RANKED})", "{{hazard}} {{place}}")],
            values=LEVEL_OF,
            starts=HAZARDS,
            missing=Words("Aucun, si Vigie écoutait", "None, provided that Vigie was listening"),
        ),
        pen.timeline(
            Words("A-t-on écouté ?", "Was anybody listening?"),
            Words(
                "Les mêmes 24 heures : rouge, Vigie n'entendait rien par cette voie. Un blanc : elle ne tournait pas.",
                "The same 24 hours: red, Vigie heard nothing that way. A blank: it did not run.",
            ),
            [Query("min by (way) (vigie_blind)", "{{way}}")],
            values={"0": Value(Words("écoute", "listening"), GREEN), "1": Value(Words("aveugle", "blind"), RED)},
            names=WAYS,
        ),
        pen.table(
            Words("Pannes de Vigie", "What is wrong with Vigie"),
            Words(
                "Les règles de Prometheus qui sont actives ; la page de chacune est dans le manuel, sous runbooks. "
                "VigieWatchdog y est toujours : c'est le signe que les règles tournent.",
                "The rules of Prometheus that fire; the manual has a page for each, under runbooks. VigieWatchdog is "
                "always there: the sign that the rules run.",
            ),
            Query('ALERTS{alertstate="firing"}'),
            [
                Column("alertname", Words("Règle", "Rule")),
                Column("severity", Words("Gravité", "Severity")),
                Column("source", Words("Source", "Source")),
                Column("alertstate", Words("État", "State")),
            ],
            missing=Words("Les règles ne tournent pas", "The rules do not run"),
            size=(19, 6),
        ),
        pen.stat(
            Words("Non affichés", "Not shown"),
            Words(
                "Incidents au-delà des 200 plus hauts et plus récents, que la carte et la liste n'ont pas : ils sont "
                "dans la console.",
                "Incidents beyond the 200 highest and newest, which map and list lack: they are in the console.",
            ),
            [Query("sum(vigie_incidents_active_hidden)", Words("incidents", "incidents"))],
            steps=((None, "#2b2b2b"), (1, ORANGE)),
            size=(5, 6),
        ),
    ]


def _open(pen: Pen, title: Words, about: Words, levels: str, *, called: Words, colour: str) -> PanelBuilder:
    """Return how many incidents are open at some levels, where that can be known: a zero only while Vigie looks."""
    return pen.stat(
        title,
        about,
        [Query(f"(sum(vigie_incidents{{{levels}}}) and on() ({LOOKS})) or vector(-1)", called)],
        steps=((None, RED), (0, GREEN), (1, colour)),
        values={"-1": UNKNOWN},
        missing=Words("PAS DE DONNÉES", "NO DATA"),
        size=(6, 5),
        big=True,
    )
