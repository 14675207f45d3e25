"""Detection: what is read and raised beside what is usual and allowed; for whoever tunes it."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.grafana.drawing import GREEN, ORANGE, RED, Column, PanelBuilder, Pen, Query, Value
from deploy.grafana.words import ACTUALITIES, HAZARDS, LEVELS, Words, followed

UID = "vigie-detection"
TITLE = Words("Vigie : détection", "Vigie: detection")
ABOUT = Words(
    "Ce que Vigie lit et lève, à côté de ce qui est habituel et de ce que le profil permet.",
    "What Vigie reads and raises, beside what is usual and what the profile allows.",
)
SPAN, REFRESH = "now-24h", "1m"
VARIABLES = (("hazard", "vigie_signals_sent_total", Words("Danger", "Hazard")),)


def panels(pen: Pen) -> list[PanelBuilder | Row]:
    """Return the dashboard from top to bottom."""
    return [
        pen.row(Words("Ce qui est lu", "What is read")),
        pen.lines(
            Words("Messages lus comme parlant d'un danger", "Posts read as speaking of a hazard"),
            Words(
                "Par minute, après le tri. Une bosse sans incident : une expression, un jeu, un titre de film ; lire "
                "quelques messages.",
                "A minute, behind the gate. A hump without an incident: a phrase, a game, the title of a film; read "
                "some posts.",
            ),
            [
                Query(
                    'sum by (hazard) (rate(vigie_signals_sent_total{hazard=~"$hazard"}[$__rate_interval])) * 60',
                    "{{hazard}}",
                )
            ],
            names=HAZARDS,
        ),
        pen.lines(
            Words("Ce que le modèle y lit", "What the model makes of them"),
            Words(
                "Part de chaque temps parmi les messages que le modèle a lus. « En ce moment » compte ; « exercice » "
                "et « figuré » ne lèvent rien. Un glissement lent : la langue des messages change, ou le modèle "
                "vieillit.",
                'Share of each tense among the posts that the model has read. Only "now" counts; '
                '"exercise" and "figurative" raise nothing. A slow shift: '
                "the language of posts changes, or the model grows old.",
            ),
            [
                Query(
                    'sum by (actuality) (rate(vigie_readings_total{hazard=~"$hazard"}[$__range]))'
                    ' / on() group_left() sum(rate(vigie_readings_total{hazard=~"$hazard"}[$__range]))',
                    "{{actuality}}",
                )
            ],
            unit="percentunit",
            names=ACTUALITIES,
            stacked=True,
        ),
        pen.lines(
            Words("Observé et habituel", "Observed and usual"),
            Words(
                "Messages par heure, à côté de ce que Vigie attend à cette heure. Très au-dessus : il se passe "
                "quelque chose. Très en dessous pendant des jours : une source manque.",
                "Posts an hour, beside what Vigie expects at this hour. Far above: something is happening. Far below "
                "for days: a source is missing.",
            ),
            [
                Query(
                    'sum by (hazard) (vigie_observed_signals_per_hour{hazard=~"$hazard"})',
                    Words("{{hazard}}, observé", "{{hazard}}, observed"),
                ),
                Query(
                    'sum by (hazard) (vigie_expected_signals_per_hour{hazard=~"$hazard"})',
                    Words("{{hazard}}, habituel", "{{hazard}}, usual"),
                ),
            ],
            names={
                **followed(HAZARDS, Words(", observé", ", observed")),
                **followed(HAZARDS, Words(", habituel", ", usual")),
            },
            size=(24, 9),
        ),
        pen.row(Words("Ce qui est levé", "What is raised")),
        pen.lines(
            Words("Révisions levées", "Revisions raised"),
            Words(
                "Par heure et par niveau. Un saut : beaucoup d'incidents, ou un modèle ou une habitude devenus faux.",
                "An hour, by level. A jump: many incidents, or one model or baseline gone wrong.",
            ),
            [Query("sum by (level) (increase(vigie_alerts_total[1h]))", "{{level}}")],
            names=LEVELS,
        ),
        pen.lines(
            Words("Incidents ouverts", "Open incidents"),
            Words("Par niveau, à chaque moment.", "By level, at each moment."),
            [Query('sum by (level) (vigie_incidents{hazard=~"$hazard"})', "{{level}}")],
            names=LEVELS,
            stacked=True,
        ),
        pen.bars(
            Words("Incidents en sept jours, et permis", "Incidents within seven days, and allowed"),
            Words(
                "Combien d'incidents ont atteint chaque niveau, vrais et faux, à côté des fausses alarmes par semaine "
                "que le profil accepte. Au-delà du double et de trois de plus, une règle le dit. Lesquels sont faux, "
                "seules des personnes le savent.",
                "How many incidents reached each level, true and false ones, beside the false alarms a week that the "
                "profile accepts. Beyond twice that and three more a rule tells. Only people know which are false.",
            ),
            [
                Query(
                    "sum by (level) (increase(vigie_incidents_raised_total[7d]))",
                    Words("{{level}} : levés", "{{level}}: raised"),
                ),
                Query("max by (level) (vigie_budget_per_week)", Words("{{level}} : permis", "{{level}}: allowed")),
            ],
            names={
                **followed(LEVELS, Words(" : levés", ": raised")),
                **followed(LEVELS, Words(" : permis", ": allowed")),
            },
        ),
        pen.lines(
            Words("Du message à l'alerte", "From post to alert"),
            Words(
                "Secondes entre la réception du dernier message d'un incident et l'envoi de la révision : la moitié "
                "en moins de, et 95 sur 100 en moins de.",
                "Seconds from receiving an incident's newest post to sending the revision: within how many half of "
                "them are sent, and 95 of 100.",
            ),
            [
                Query(
                    "histogram_quantile(0.5, sum by (le) (rate(vigie_post_to_alert_seconds_bucket[1h])))",
                    Words("la moitié", "half"),
                ),
                Query(
                    "histogram_quantile(0.95, sum by (le) (rate(vigie_post_to_alert_seconds_bucket[1h])))",
                    Words("95 sur 100", "95 of 100"),
                ),
            ],
            unit="s",
        ),
        pen.row(Words("Confiance", "Trust")),
        pen.bars(
            Words("Ce que des personnes en ont dit, en sept jours", "What people said of them, within seven days"),
            Words(
                "Révisions confirmées et écartées ; un incident peut en avoir plusieurs. La page Confiance de la "
                "console compte les incidents, et dit avec quelle avance.",
                "Revisions confirmed and rejected; an incident may have several. The console's page Trust counts "
                "incidents, and says how early they were.",
            ),
            [
                Query('sum by (level) (increase(vigie_alerts_total{level=~"confirmed|rejected"}[7d]))', "{{level}}"),
            ],
            names=LEVELS,
            size=(24, 4),
        ),
        pen.lines(
            Words("Dérive des scores", "Drift of scores"),
            Words(
                "Écart entre les scores de la semaine et ceux des quatre d'avant. Dès 0,25, la console avertit : le "
                "modèle, une source ou la langue a changé. Sans données : moins d'un mois d'archive.",
                "How far this week's scores are from those of the four before. From 0.25 on the console warns: the "
                "model, a source or the language has changed. No data: an archive of less than a month.",
            ),
            [Query('max by (hazard, score) (vigie_drift_index{hazard=~"$hazard"})', "{{hazard}}, {{score}}")],
            steps=((None, GREEN), (0.25, ORANGE)),
        ),
        pen.stat(
            Words("Avertissements de la page Confiance", "Warnings of the page Trust"),
            Words(
                "score : les lectures ont glissé ; baseline : des zones parlent bien plus ou bien moins que "
                "d'habitude.",
                "score: readings have shifted; baseline: areas say far more or far less than usual.",
            ),
            [Query("sum by (kind) (vigie_drift_warnings)", "{{kind}}")],
            steps=((None, GREEN), (1, ORANGE)),
            size=(6, 8),
        ),
        pen.stat(
            Words("Modèle en vigueur", "Model in force"),
            Words(
                "MANQUE : le dossier du modèle promu n'est pas sur cette machine, et le précédent lit à sa place.",
                "LACKING: the folder of the model in force is not on this machine, and the one before it reads.",
            ),
            [Query("max(vigie_model_lacking)", Words("modèle", "model"))],
            steps=((None, GREEN), (1, RED)),
            values={"0": Value(Words("là", "there"), GREEN), "1": Value(Words("MANQUE", "LACKING"), RED)},
            size=(6, 8),
        ),
        pen.table(
            Words("Ce qui décide", "What decides"),
            Words(
                "Le profil et le modèle de chaque processus. Différents plus d'une minute : l'un d'eux n'a pas "
                "entendu un changement.",
                "Profile and model of each process. Not the same for more than a minute: one of them has not heard of "
                "a change.",
            ),
            Query("vigie_in_force_info"),
            [
                Column("instance", Words("Processus", "Process")),
                Column("profile", Words("Profil", "Profile")),
                Column("model", Words("Modèle", "Model")),
            ],
            size=(12, 5),
        ),
        pen.bars(
            Words("Ce que disent autorités et personnes", "What authorities and people say"),
            Words(
                "Bulletins (context.v1) et décisions (decisions.v1), par issue, depuis que le processus tourne. « "
                "dead_letter » : l'un d'eux n'a pas été entendu.",
                "Bulletins (context.v1) and decisions (decisions.v1), by outcome, since the process was started. "
                '"dead_letter": one was not '
                "heard.",
            ),
            [Query("sum by (topic, outcome) (vigie_statements_total)", "{{topic}}, {{outcome}}")],
            size=(12, 5),
        ),
        pen.row(Words("À l'intérieur", "Inside")),
        pen.lines(
            Words("Zones suivies", "Areas followed"),
            Words(
                "Zones (danger et département) d'où les détecteurs ont entendu quelque chose, et celles où un "
                "incident attend un délai. Une chute : le processus a redémarré, ou un autre en a repris.",
                "Areas (hazard and département) of which detectors have heard anything, and those with an incident "
                "that waits for a date. A drop: the process was started again, or another has taken some over.",
            ),
            [
                Query('sum by (hazard) (vigie_detector_areas{hazard=~"$hazard"})', "{{hazard}}"),
                Query("sum(vigie_incidents_due)", Words("en attente d'un délai", "waiting for a date")),
            ],
            names=HAZARDS,
        ),
        pen.lines(
            Words("Besoins et offres", "Needs and offers"),
            Words(
                "Lus dans des messages, par heure. Une hausse sans incident : les mots trompent, lire quelques "
                "messages.",
                "Read in posts, an hour. A rise without an incident: the words mislead, read some.",
            ),
            [Query("sum by (kind, state) (increase(vigie_claims_sent_total[1h]))", "{{kind}}, {{state}}")],
        ),
    ]
