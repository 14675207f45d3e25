"""Privacy: that what was promised to people is kept; for whoever answers for it."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.grafana.drawing import GREEN, RED, ZERO_IS_FINE, PanelBuilder, Pen, Query
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
                "Part des messages lus que le tri a laissés passer sans rien en retenir, sur la période. Le reste parlait, peut-être, d'un danger.",
                "Share of the posts read of which the gate kept nothing, over the span. The rest spoke, maybe, of danger.",
            ),
            [
                Query(
                    'sum(increase(vigie_read_total{outcome="gated"}[$__range])) / sum(increase(vigie_read_total{outcome=~"gated|kept"}[$__range]))',
                    Words("écartés", "dropped"),
                )
            ],
            unit="percentunit",
            size=(8, 6),
        ),
        pen.lines(
            Words("Lus, et gardés", "Read, and kept"),
            Words(
                "Messages par heure. Gardés : 72 heures au plus, sur le courtier.",
                "Posts an hour. Kept: for 72 hours at most, on the broker.",
            ),
            [
                Query('sum(increase(vigie_read_total{outcome=~"gated|kept"}[1h]))', Words("lus", "read")),
                Query('sum(increase(vigie_read_total{outcome="kept"}[1h]))', Words("gardés", "kept")),
            ],
            size=(16, 6),
        ),
        pen.row(Words("Ce qui est retiré", "What is taken back")),
        pen.stat(
            Words("Suppressions en retard", "Deletions overdue"),
            Words(
                "Demandées et pas encore faites partout dans le délai promis. Au-dessus de zéro : agir, la page VigieDeletionOverdue dit comment.",
                "Asked for and not yet done everywhere within the promise. Above zero: act, the page VigieDeletionOverdue says how.",
            ),
            [Query("sum(vigie_retractions_overdue)", Words("en retard", "overdue"))],
            steps=ZERO_IS_FINE,
            size=(8, 6),
        ),
    ]
