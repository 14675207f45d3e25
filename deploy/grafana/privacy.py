"""Privacy: that what was promised to people is kept; for whoever answers for it."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.grafana.drawing import GREEN, ORANGE, RED, Column, PanelBuilder, Pen, Query
from deploy.grafana.words import Words

UID = "vigie-privacy"
TITLE = Words("Vigie : vie privée", "Vigie: privacy")
ABOUT = Words(
    "Ce qui est gardé et combien de temps, ce qui a été retiré et en combien de temps : ce qui a été promis, mesuré.",
    "What is kept and for how long, what was taken back and how fast: what was promised, measured.",
)
SPAN, REFRESH = "now-7d", "5m"


def panels(pen: Pen) -> list[PanelBuilder | Row]:
    """Return the dashboard from top to bottom."""
    return [
        pen.row(Words("Ce qui n'est pas gardé", "What is not kept")),
        pen.stat(
            Words("Écarté avant d'être gardé", "Dropped before anything is kept"),
            Words(
                "Part des messages lus que le tri a laissés passer sans rien en retenir, sur la période. Le reste "
                "parlait, peut-être, d'un danger.",
                "Share of the posts read of which the gate kept nothing, over the span. The rest spoke, maybe, of "
                "danger.",
            ),
            [
                Query(
                    'sum(increase(vigie_read_total{outcome="gated"}[$__range]))'
                    ' / sum(increase(vigie_read_total{outcome=~"gated|kept"}[$__range]))',
                    Words("écartés", "dropped"),
                )
            ],
            unit="percentunit",
            size=(8, 6),
        ),
        pen.lines(
            Words("Lus, et gardés", "Read, and kept"),
            Words(
                "Messages par heure. Gardés : 72 heures, et quatre de plus au plus, sur le courtier.",
                "Posts an hour. Kept: for 72 hours, and up to four more, on the broker.",
            ),
            [
                Query('sum(increase(vigie_read_total{outcome=~"gated|kept"}[1h]))', Words("lus", "read")),
                Query('sum(increase(vigie_read_total{outcome="kept"}[1h]))', Words("gardés", "kept")),
            ],
            size=(16, 6),
        ),
        pen.row(Words("Ce qui est retiré", "What is taken back")),
        pen.stat(
            Words("Dernier balayage", "Last sweep"),
            Words(
                "Depuis quand les suppressions n'ont pas été suivies partout ; toutes les deux heures d'habitude. "
                "Au-delà de six heures une règle le dit.",
                "For how long deletions have not been followed up everywhere; usually that is done every two hours. "
                "Beyond six hours a rule tells.",
            ),
            [Query("time() - min(vigie_swept_timestamp_seconds)", Words("depuis", "ago"))],
            unit="s",
            steps=((None, GREEN), (3 * 3600, ORANGE), (6 * 3600, RED)),
            size=(6, 8),
        ),
        pen.lines(
            Words("Demandées", "Asked for"),
            Words(
                "Suppressions (delete) et départs ou oppositions (purge) suivis, par heure.",
                "Deletions (delete), departures and objections (purge) followed, an hour.",
            ),
            [Query('sum by (outcome) (increase(vigie_posts_total{outcome=~"delete|purge"}[1h]))', "{{outcome}}")],
            size=(9, 8),
        ),
        pen.bars(
            Words("Retiré par le balayage", "Taken back by sweeps"),
            Words(
                "Messages et alertes d'où le balayage a ôté ce que quelqu'un avait supprimé, depuis que le processus "
                "tourne.",
                "Posts and alerts from which a sweep took what somebody had deleted, since the process was started.",
            ),
            [Query("sum by (what) (vigie_taken_back_total)", "{{what}}")],
            size=(9, 8),
        ),
        pen.lines(
            Words("Temps pour quitter les détecteurs", "Time to leave the detectors"),
            Words(
                "Secondes entre la nouvelle d'une suppression et la disparition des mots, 95 sur 100.",
                "Seconds from hearing of a deletion to the words being gone, 95 of 100.",
            ),
            [
                Query(
                    "histogram_quantile(0.95, sum by (le) (rate(vigie_retraction_seconds_bucket[6h])))",
                    Words("95 sur 100", "95 of 100"),
                ),
            ],
            unit="s",
            size=(24, 7),
        ),
        pen.row(Words("Ce qui est gardé", "What is kept")),
        pen.bars(
            Words("Âge du plus ancien", "Age of the oldest"),
            Words(
                "Sur chaque sujet, au dernier balayage, en part de la durée promise et des trois heures qu'il faut au "
                "courtier. Au-delà de 1 : gardé plus longtemps que promis. Sans données sur le courtier embarqué : il "
                "est remplacé toutes les 18 heures.",
                "On each topic, at the last sweep, as a share of the promise and the three hours that the broker "
                "needs. Beyond 1: kept for longer than promised. No data on the embedded broker: it is replaced "
                "every 18 hours.",
            ),
            [
                Query(
                    "max by (topic) (vigie_topic_oldest_seconds / on(topic) group_left() max by (topic) "
                    "(vigie_topic_retention_seconds + 10800))",
                    "{{topic}}",
                )
            ],
            unit="percentunit",
            steps=((None, GREEN), (1, RED)),
        ),
        pen.table(
            Words("Durées promises", "What is promised"),
            Words(
                "Pour combien de temps chaque sujet peut garder un enregistrement.",
                "For how long each topic may keep a record.",
            ),
            Query("vigie_topic_retention_seconds"),
            [
                Column("topic", Words("Sujet", "Topic")),
                Column("Value", Words("Durée", "Span"), unit="s"),
            ],
        ),
    ]
