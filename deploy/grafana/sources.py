"""Sources: what comes in, from where, and where nothing does; for whoever is asked "and are we listening there?"."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.grafana.drawing import GREEN, GREY, ORANGE, RED, Column, PanelBuilder, Pen, Query, Value
from deploy.grafana.words import WAYS, Words

UID = "vigie-sources"
TITLE = Words("Vigie : sources", "Vigie: sources")
ABOUT = Words(
    "Ce qui entre, d'où, et où rien n'entre. Une source calme qui donne signe de vie est écoutée ; une source muette "
    "est aveugle.",
    "What comes in, from where, and where nothing does. A quiet source that shows a sign of life is listened to; a "
    "silent one is blind.",
)
SPAN, REFRESH = "now-24h", "30s"
VARIABLES = (("source", "vigie_source_state", Words("Source", "Source")),)
OUTCOMES = {
    "kept": Words("gardés", "kept"),
    "gated": Words("écartés par le tri", "dropped by the gate"),
    "refused": Words("illisibles", "refused"),
    "not_a_post": Words("autre chose qu'un message", "not a post"),
}
STATES = {
    "1": Value(Words("écoutée", "listening"), GREEN),
    "2": Value(Words("incertaine", "unsure"), ORANGE),
    "3": Value(Words("AVEUGLE", "BLIND"), RED),
    "4": Value(Words("arrêtée", "off"), GREY),
}
STATE = " or ".join(
    f'((vigie_source_state{{state="{state}",source=~"$source"}} == 1) * {number})'
    for number, state in enumerate(("listening", "unsure", "blind", "off"), 1)
)
"""One answer a source, whose value is its state."""


def panels(pen: Pen) -> list[PanelBuilder | Row]:
    """Return the dashboard from top to bottom."""
    return [
        pen.timeline(
            Words("État de chaque source", "State of each source"),
            Words(
                "Incertaine : elle attend qu'on lui parle, et personne ne l'a fait depuis longtemps. Aveugle : elle "
                "ne peut pas être lue. Un blanc : le processus ne tournait pas.",
                "Unsure: it waits to be told, and nobody has told it anything for long. Blind: it cannot be read. A "
                "blank: the process did not run.",
            ),
            [Query(f"max by (source) ({STATE})", "{{source}}")],
            values=STATES,
            missing=Words("PAS DE DONNÉES : rien n'est écouté", "NO DATA: nothing is listened to"),
        ),
        pen.stat(
            Words("Dernier regard sur les sources", "Sources last looked at"),
            Words(
                "Depuis combien de temps le processus des sources n'a pas regardé comment elles vont ; toutes les cinq "
                "secondes d'habitude. Au-delà d'une minute il est figé, et tout ce tableau est vieux.",
                "For how long the process that reads the sources has not looked how they stand; usually that is every "
                "five seconds. Beyond a minute it stands still, and all of this dashboard is old.",
            ),
            [Query("time() - min(vigie_sources_looked_at_timestamp_seconds)", Words("depuis", "ago"))],
            unit="s",
            steps=((None, GREEN), (30, ORANGE), (60, RED)),
            size=(24, 3),
        ),
        pen.bars(
            Words("Dernier signe de vie", "Last sign of life"),
            Words(
                "Secondes depuis qu'une source a donné un signe, même sans nouveau message.",
                "Seconds since a source showed any sign, also without a new post.",
            ),
            [
                Query(
                    'time() - max by (source) (vigie_source_last_sign_timestamp_seconds{source=~"$source"})',
                    "{{source}}",
                )
            ],
            unit="s",
            steps=((None, GREEN), (600, ORANGE), (3600, RED)),
            size=(8, 8),
        ),
        pen.bars(
            Words("Dernier message", "Last post"),
            Words(
                "Secondes depuis le dernier message lu. Long et calme peut être normal la nuit ; à lire avec l'état.",
                "Seconds since the last post read. Long and quiet may be normal at night; to be read with the state.",
            ),
            [
                Query(
                    'time() - max by (source) (vigie_source_last_post_timestamp_seconds{source=~"$source"})',
                    "{{source}}",
                )
            ],
            unit="s",
            size=(8, 8),
        ),
        pen.lines(
            Words("Retard des messages", "Age of posts when heard"),
            Words(
                "Entre l'écriture et la lecture du dernier message. Croît : la plateforme ou notre ligne est en "
                "retard. « en avance » : son horloge, ou la nôtre, est fausse.",
                "Between the saying and the hearing of the last post. Growing: the platform or our line is behind. "
                '"Ahead": its clock, or '
                "ours, is wrong.",
            ),
            [
                Query('max by (source) (vigie_source_lag_seconds{source=~"$source"})', "{{source}}"),
                Query(
                    'max by (source) (vigie_source_ahead_seconds{source=~"$source"})',
                    Words("{{source}}, en avance", "{{source}}, ahead"),
                ),
            ],
            unit="s",
            size=(8, 8),
        ),
        pen.row(Words("Ce qui est lu", "What is read")),
        pen.lines(
            Words("Lus par source", "Read by source"),
            Words(
                "Par minute, quoi qu'il en advienne. À zéro : on y est aveugle, ou c'est la nuit.",
                "A minute, whatever becomes of it. Zero: we are blind there, or it is night.",
            ),
            [Query('sum by (source) (rate(vigie_read_total{source=~"$source"}[$__rate_interval])) * 60', "{{source}}")],
        ),
        pen.lines(
            Words("Ce qu'il en advient", "What becomes of them"),
            Words(
                "Par minute. La plupart sont écartés par le tri, c'est voulu. « Illisibles » qui monte : la source a "
                "changé de format.",
                "A minute. Most are dropped by the gate, as is meant. "
                '"Refused" rising: the source has changed its format.',
            ),
            [
                Query(
                    'sum by (outcome) (rate(vigie_read_total{source=~"$source"}[$__rate_interval])) * 60', "{{outcome}}"
                )
            ],
            names=OUTCOMES,
            stacked=True,
        ),
        pen.table(
            Words("Illisibles, par raison", "Refused, by reason"),
            Words(
                "Depuis que le processus tourne. La raison dit ce qui a changé.",
                "Since the process was started. The reason says what has changed.",
            ),
            Query('sum by (source, reason) (vigie_read_total{outcome="refused",source=~"$source"})'),
            [
                Column("source", Words("Source", "Source")),
                Column("reason", Words("Raison", "Reason")),
                Column("Value", Words("Combien", "How many")),
            ],
            missing=Words("Rien d'illisible", "Nothing refused"),
        ),
        pen.lines(
            Words("Lectures impossibles", "Times it could not be read"),
            Words(
                "Par heure. Croît : la plateforme est en panne, ou nous refuse.",
                "An hour. Rising: the platform is down, or refuses us.",
            ),
            [Query('sum by (source) (increase(vigie_source_unavailable_total{source=~"$source"}[1h]))', "{{source}}")],
        ),
        pen.row(Words("Ce qui manque, ce qui coûte", "What is missing, what it costs")),
        pen.bars(
            Words("Jamais lus", "Never seen"),
            Words(
                "Secondes d'une source que personne n'aura vues, depuis que le processus tourne. Au-dessus de zéro : "
                "le dire à l'astreinte.",
                "Seconds of a source that nobody will ever have seen, since the process was started. Above zero: tell "
                "whoever is on duty.",
            ),
            [Query('sum by (source) (vigie_source_gap_seconds_total{source=~"$source"})', "{{source}}")],
            unit="s",
            steps=((None, GREEN), (1, RED)),
        ),
        pen.bars(
            Words("Dépensé ce mois", "Spent this month"),
            Words(
                "Part du plafond, des sources payantes ; au plafond la source s'arrête. Zéro sans source payante.",
                "Share of the ceiling, of sources that cost money; at the ceiling the source stops. Zero without any.",
            ),
            [
                Query(
                    "max by (source) (vigie_source_spent_usd / (vigie_source_ceiling_usd > 0)) or vector(0)",
                    "{{source}}",
                )
            ],
            unit="percentunit",
            steps=((None, GREEN), (0.8, ORANGE), (0.9, RED)),
        ),
        pen.stat(
            Words("Voies", "Ways"),
            Words(
                "Par où un témoin pourrait nous atteindre, et où rien n'est écouté en ce moment.",
                "How a witness could reach us, and where nothing is listened to at this moment.",
            ),
            [Query("min by (way) (vigie_blind)", "{{way}}")],
            values={"0": Value(Words("écoute", "listening"), GREEN), "1": Value(Words("AVEUGLE", "BLIND"), RED)},
            names=WAYS,
            size=(24, 4),
        ),
    ]
