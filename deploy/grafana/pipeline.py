"""Pipeline: whether all processes run, keep up and get through to people; for whoever is called when they do not."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.grafana.drawing import GREEN, ORANGE, RED, ZERO_IS_FINE, Column, PanelBuilder, Pen, Query, Value
from deploy.grafana.words import PROCESSES, Words

UID = "vigie-pipeline"
TITLE = Words("Vigie : machine", "Vigie: pipeline")
ABOUT = Words(
    "Débit, retard, délais et erreurs, de la source jusqu'au destinataire.",
    "Throughput, lag, latency and errors, from the source to the receiver.",
)
SPAN, REFRESH = "now-6h", "30s"
UP = {"0": Value(Words("ARRÊTÉ", "DOWN"), RED), "1": Value(Words("en marche", "running"), GREEN)}


def quantile(part: float, metric: str, by: str = "") -> str:
    """Return the expression for a part of a histogram's values, within an hour."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({part}, sum by ({labels}) (rate({metric}_bucket[1h])))"


def panels(pen: Pen) -> list[PanelBuilder | Row]:
    """Return the dashboard from top to bottom."""
    return [*_health(pen), *_flow(pen), *_broker(pen), *_telling(pen), *_console(pen), *_machine(pen)]


def _health(pen: Pen) -> list[PanelBuilder | Row]:
    return [
        pen.stat(
            Words("Processus", "Processes"),
            Words(
                "Ce que Prometheus joint. ARRÊTÉ : le processus ne répond pas, ou Prometheus ne l'atteint plus.",
                "What Prometheus reaches. DOWN: the process does not answer, or Prometheus does not reach it.",
            ),
            [Query('min by (job) (up{job=~"vigie-.*"})', "{{job}}")],
            values=UP,
            names=PROCESSES,
            missing=Words("Prometheus n'interroge rien", "Prometheus scrapes nothing"),
            size=(12, 4),
        ),
        pen.stat(
            Words("Sans avancer depuis", "Without progress for"),
            Words(
                "Alors que des messages attendent. Au-delà de la limite, `vigie run` relance le processus.",
                "While posts wait. Past the limit `vigie run` starts the process again.",
            ),
            [Query("max(vigie_progress_age_seconds)", Words("sans avancer", "without progress"))],
            unit="s",
            steps=((None, GREEN), (30, ORANGE), (60, RED)),
            size=(4, 4),
        ),
        pen.stat(
            Words("Mis de côté", "Set aside"),
            Words(
                "Valeurs illisibles depuis que les processus tournent ; elles restent 18 heures sur dead_letters.v1.",
                "Values that could not be read since the processes were started; they stay on dead_letters.v1 for 18 "
                "hours.",
            ),
            [Query("sum(vigie_dead_letters_total)", Words("illisibles", "unreadable"))],
            steps=ZERO_IS_FINE,
            size=(4, 4),
        ),
        pen.stat(
            Words("Décalage d'horloge", "Clock skew"),
            Words(
                "Entre chaque processus et Prometheus. Au-delà de 5 secondes, heures et ordre des messages deviennent "
                "faux.",
                "Between each process and Prometheus. Beyond 5 seconds times and the order of posts become wrong.",
            ),
            [
                Query(
                    "max(abs(vigie_clock_timestamp_seconds - timestamp(vigie_clock_timestamp_seconds)))",
                    Words("décalage", "skew"),
                )
            ],
            unit="s",
            steps=((None, GREEN), (2, ORANGE), (5, RED)),
            size=(4, 4),
        ),
        pen.table(
            Words("Règles actives", "Rules that fire"),
            Words(
                "Ce que Prometheus trouve anormal. VigieWatchdog y est toujours : c'est le signe que les règles "
                "tournent.",
                "What Prometheus finds wrong. VigieWatchdog is always there: the sign that the rules run.",
            ),
            Query('ALERTS{alertstate=~"firing|pending"}'),
            [
                Column("alertname", Words("Règle", "Rule")),
                Column("severity", Words("Gravité", "Severity")),
                Column("alertstate", Words("État", "State")),
                Column("source", Words("Source", "Source")),
                Column("receiver", Words("Destinataire", "Receiver")),
                Column("topic", Words("Sujet", "Topic")),
            ],
            missing=Words("Les règles ne tournent pas", "The rules do not run"),
            size=(24, 6),
        ),
    ]


def _flow(pen: Pen) -> list[PanelBuilder | Row]:
    return [
        pen.row(Words("Le flux", "The flow")),
        pen.lines(
            Words("Débit", "Throughput"),
            Words(
                "Valeurs lues par minute sur chaque sujet, quoi qu'il en advienne. À zéro alors que des sources "
                "parlent : regarder le retard.",
                "Values read a minute from each topic, whatever becomes of them. Zero while sources speak: look at "
                "the lag.",
            ),
            [
                Query("sum(rate(vigie_posts_total[$__rate_interval])) * 60", "posts.v1"),
                Query("sum(rate(vigie_signals_total[$__rate_interval])) * 60", "signals.v1"),
                Query("sum(rate(vigie_alerts_read_total[$__rate_interval])) * 60", "alerts.v1"),
            ],
        ),
        pen.lines(
            Words("Retard", "Lag"),
            Words(
                "Valeurs qui attendent sur un sujet. Revient vers zéro : tout va bien. Croît : le processus est trop "
                "lent ou bloqué.",
                "Values that wait on a topic. Back to about zero: all is well. Growing: the worker is too slow or "
                "stuck.",
            ),
            [Query("sum by (topic) (vigie_lag_records)", "{{topic}}")],
        ),
        pen.lines(
            Words("Ce que deviennent les messages", "What becomes of posts"),
            Words(
                "Par minute ; chaque message a une issue et une seule. « dead_letter » : un format a changé.",
                'A minute; each post has one outcome. "dead_letter": a format has changed.',
            ),
            [Query("sum by (outcome) (rate(vigie_posts_total[$__rate_interval])) * 60", "{{outcome}}")],
            stacked=True,
        ),
        pen.lines(
            Words("Ce que deviennent les signaux", "What becomes of signals"),
            Words(
                "Par minute. « dead_letter » : nos propres enregistrements ne vont pas, agir tout de suite.",
                'A minute. "dead_letter": our own records do not fit, act now.',
            ),
            [Query("sum by (outcome) (rate(vigie_signals_total[$__rate_interval])) * 60", "{{outcome}}")],
            stacked=True,
        ),
        pen.lines(
            Words("Du message à la décision", "From post to decision"),
            Words(
                "Secondes entre la réception d'un message et la décision. Croît : nous prenons du retard.",
                "Seconds from receiving a post to the decision. Rising: we lag behind.",
            ),
            [
                Query(quantile(0.5, "vigie_post_to_decision_seconds"), Words("la moitié en moins de", "half within")),
                Query(
                    quantile(0.95, "vigie_post_to_decision_seconds"),
                    Words("95 sur 100 en moins de", "95 of 100 within"),
                ),
                Query(
                    quantile(0.99, "vigie_post_to_decision_seconds"),
                    Words("99 sur 100 en moins de", "99 of 100 within"),
                ),
            ],
            unit="s",
        ),
        pen.lines(
            Words("Durée des étapes", "Time of each step"),
            Words(
                "Secondes qu'un lot passe dans chaque étape, 95 sur 100. Celle qui croît est celle qui freine.",
                "Seconds that a batch spends in each step, 95 of 100. The one that grows is the one that slows the "
                "rest.",
            ),
            [Query(quantile(0.95, "vigie_step_seconds", "step"), "{{step}}")],
            unit="s",
        ),
        pen.lines(
            Words("Valeurs par étape", "Values by step"),
            Words(
                "Par minute. Autant que leurs issues ensemble, sinon le compte est faux : le signaler.",
                "A minute. As many as their outcomes together, else the counting is broken: report it.",
            ),
            [Query("sum by (step) (rate(vigie_step_records_total[$__rate_interval])) * 60", "{{step}}")],
            size=(24, 7),
        ),
        pen.bars(
            Words("Mis de côté, par raison", "Set aside, by reason"),
            Words("Depuis que les processus tournent.", "Since the processes were started."),
            [Query("sum by (topic, reason) (vigie_dead_letters_total)", "{{topic}}, {{reason}}")],
            steps=ZERO_IS_FINE,
            size=(24, 5),
        ),
    ]


def _broker(pen: Pen) -> list[PanelBuilder | Row]:
    return [
        pen.row(Words("Le courtier", "The broker")),
        pen.lines(
            Words("Temps pour écrire", "Time to write"),
            Words(
                "Secondes jusqu'à ce que le courtier ait pris une valeur, 95 sur 100, par sujet. Croît : son disque, "
                "ou le réseau.",
                "Seconds until the broker has taken a value, 95 of 100, by topic. Rising: its disk, or the network.",
            ),
            [Query(quantile(0.95, "vigie_kafka_send_seconds", "topic"), "{{topic}}")],
            unit="s",
        ),
        pen.lines(
            Words("Temps pour noter où l'on en est", "Time to note where we are"),
            Words(
                "Secondes qu'il faut au courtier pour retenir ce qui est traité, 95 sur 100. Croît : après un arrêt, "
                "plus sera relu.",
                "Seconds that the broker needs to remember what was handled, 95 of 100. Rising: more will be read "
                "again after a stop.",
            ),
            [Query(quantile(0.95, "vigie_faust_commit_seconds"), Words("95 sur 100", "95 of 100"))],
            unit="s",
        ),
        pen.bars(
            Words("Écritures manquées", "Failed writes"),
            Words(
                "Depuis que les processus tournent. Elles sont refaites ; beaucoup : le courtier ne va pas.",
                "Since the processes were started. They are made again; many: the broker is not well.",
            ),
            [Query("sum by (topic) (vigie_kafka_send_failures_total) or vector(0)", "{{topic}}")],
            steps=((None, GREEN), (1, ORANGE)),
            size=(8, 7),
        ),
        pen.stat(
            Words("Partages du travail", "Sharing of the work"),
            Words(
                "Combien de fois les partitions ont été réparties à nouveau, et si c'est en cours (1) : rien n'est lu "
                "alors. Souvent : un processus va et vient.",
                "How often partitions were shared out anew, and whether that is going on (1): nothing is read then. "
                "Often: a process comes and goes.",
            ),
            [
                Query("sum(vigie_faust_rebalances_total)", Words("fois", "times")),
                Query("max(vigie_faust_rebalancing)", Words("en cours", "going on")),
            ],
            steps=((None, GREEN),),
            size=(8, 7),
        ),
        pen.bars(
            Words("File pleine", "Buffer full"),
            Words(
                "Combien de fois la lecture d'un sujet a attendu que le traitement suive. Monte avec le retard.",
                "How often reading a topic waited for the work to keep up. Rises with lag.",
            ),
            [Query("sum by (topic) (vigie_faust_buffer_full_total) or vector(0)", "{{topic}}")],
            steps=((None, GREEN),),
            size=(8, 7),
        ),
    ]


def _telling(pen: Pen) -> list[PanelBuilder | Row]:
    return [
        pen.row(Words("Prévenir", "Telling people")),
        pen.lines(
            Words("Notifications", "Notifications"),
            Words(
                "Par heure, par issue. « failed » : Vigie a renoncé, prévenir à la main.",
                'An hour, by outcome. "failed": Vigie has given up, tell them by hand.',
            ),
            [Query("sum by (outcome) (increase(vigie_notifications_total[1h]))", "{{outcome}}")],
        ),
        pen.lines(
            Words("De l'alerte à la notification", "From alert to notification"),
            Words(
                "Secondes entre l'arrivée d'une révision dans la boîte d'envoi et son envoi à chaque destinataire, 95 "
                "sur 100 ; sans celles que quelque chose a retenues.",
                "Seconds from the outbox's having a revision to its sending to each receiver, 95 of 100; without those "
                "kept back.",
            ),
            [Query(quantile(0.95, "vigie_alert_to_notification_seconds", "receiver"), "{{receiver}}")],
            unit="s",
        ),
        pen.lines(
            Words("En attente d'envoi", "Waiting to be sent"),
            Words(
                "Par destinataire. Ce qui ne redescend pas : le destinataire ne répond pas.",
                "By receiver. What does not come down: the receiver does not answer.",
            ),
            [Query("sum by (receiver) (vigie_outbox_waiting)", "{{receiver}}")],
            size=(8, 8),
        ),
        pen.bars(
            Words("La plus ancienne en attente", "The oldest that waits"),
            Words(
                "Secondes. Au-delà de dix minutes, une règle réveille l'astreinte.",
                "Seconds. Beyond ten minutes a rule wakes whoever is on call.",
            ),
            [Query("max by (receiver) (vigie_outbox_oldest_seconds)", "{{receiver}}")],
            unit="s",
            steps=((None, GREEN), (120, ORANGE), (600, RED)),
            size=(8, 8),
        ),
        pen.bars(
            Words("Retenues, par cause", "Held back, by cause"),
            Words(
                "Depuis que le processus tourne. « silence » qui monte longtemps après un exercice : quelqu'un a "
                "oublié d'en finir un.",
                'Since the process was started. "silence" rising long after an exercise: somebody forgot to end one.',
            ),
            [Query("sum by (cause) (vigie_notifications_held_total)", "{{cause}}")],
            size=(8, 8),
        ),
        pen.bars(
            Words("Boîte d'envoi", "Outbox"),
            Words(
                "Notifications des 30 derniers jours, par état. « failed » : quelqu'un doit être prévenu à la main.",
                'Notifications of the last 30 days, by state. "failed": somebody must be told by hand.',
            ),
            [Query("sum by (receiver, state) (vigie_outbox_rows)", "{{receiver}}, {{state}}")],
            size=(24, 6),
        ),
        pen.stat(
            Words("Sans route", "Without a route"),
            Words(
                "Révisions qui n'ont pris aucune route, donc dites à personne, depuis que le processus tourne. Voulu "
                "pour les moindres niveaux ; sinon, relire les conditions des routes.",
                "Revisions that took no route, so that nobody was told, since the process was started. Meant for "
                "lesser levels; else look at the matchers of the routes.",
            ),
            [Query("sum by (level) (vigie_alerts_untold_total)", "{{level}}")],
            steps=((None, GREEN), (1, ORANGE)),
            size=(12, 4),
        ),
        pen.stat(
            Words("Escalades", "Escalations"),
            Words(
                "Incidents que personne n'a pris en charge à temps. Monte : personne n'est d'astreinte.",
                "Incidents that nobody acknowledged in time. Rising: nobody is on duty.",
            ),
            [Query("sum by (route) (vigie_escalations_total) or vector(0)", "{{route}}")],
            steps=((None, GREEN), (1, ORANGE)),
            size=(12, 4),
        ),
    ]


def _console(pen: Pen) -> list[PanelBuilder | Row]:
    return [
        pen.row(Words("Console", "Console")),
        pen.stat(
            Words("À jour", "Up to date"),
            Words(
                "« non » pendant des minutes après un démarrage : elle est très en retard, ou le courtier ne répond "
                "pas.",
                '"No" for minutes after a start: it is far behind, or the broker does not answer.',
            ),
            [Query("min(vigie_console_ready)", Words("à jour", "up to date"))],
            steps=((None, RED), (1, GREEN)),
            values={"0": Value(Words("non", "no"), RED), "1": Value(Words("oui", "yes"), GREEN)},
        ),
        pen.stat(
            Words("Pages ouvertes", "Open pages"),
            Words("Zéro pendant un incident : personne ne regarde.", "Zero during an incident: nobody looks."),
            [Query("sum(vigie_console_viewers)", Words("pages", "pages"))],
        ),
        pen.stat(
            Words("Décisions en attente", "Decisions waiting"),
            Words(
                "Ce que des personnes ont dit et que le courtier n'a pas encore. Plus d'une minute : les détecteurs "
                "ne l'entendent pas.",
                "What people said and the broker does not have yet. For more than a minute: the detectors do not hear "
                "it.",
            ),
            [Query("sum(vigie_decisions_waiting)", Words("décisions", "decisions"))],
            steps=ZERO_IS_FINE,
        ),
        pen.stat(
            Words("Enregistrement", "Recording"),
            Words(
                "Lignes pas encore sur le disque, lignes perdues, et si l'écriture échoue (1) : alors, regarder le "
                "disque.",
                "Rows not on disk yet, rows lost, and whether writing fails (1): then look at the disk.",
            ),
            [
                Query("sum(vigie_recording_waiting)", Words("en attente", "waiting")),
                Query("sum(vigie_recording_lost)", Words("perdues", "lost")),
                Query("max(vigie_recording_failing)", Words("échoue", "failing")),
            ],
        ),
    ]


def _machine(pen: Pen) -> list[PanelBuilder | Row]:
    return [
        pen.row(Words("Machine", "Machine")),
        pen.lines(
            Words("Mémoire", "Memory"),
            Words(
                "Par processus. Croît pendant des jours sans redescendre : le signaler.",
                "By process. Growing for days without coming down: report it.",
            ),
            [Query('sum by (job, instance) (process_resident_memory_bytes{job=~"vigie-.*"})', "{{job}} {{instance}}")],
            unit="bytes",
        ),
        pen.lines(
            Words("Processeur", "Processor"),
            Words(
                "Cœurs occupés par processus. Un cœur plein pour la lecture : elle est à sa limite, ajouter un "
                "processus.",
                "Cores in use, by process. A whole one for the worker: it is at its limit, add another.",
            ),
            [
                Query(
                    'sum by (job, instance) (rate(process_cpu_seconds_total{job=~"vigie-.*"}[$__rate_interval]))',
                    "{{job}} {{instance}}",
                )
            ],
        ),
        pen.table(
            Words("Versions", "Versions"),
            Words(
                "De chaque processus. Différentes : une mise à jour n'est pas finie.",
                "Of each process. Different ones: an upgrade has not been finished.",
            ),
            Query("vigie_build_info"),
            [
                Column("job", Words("Processus", "Process")),
                Column("instance", Words("Adresse", "Address")),
                Column("version", Words("Version", "Version")),
            ],
            size=(12, 6),
        ),
        pen.lines(
            Words("En marche depuis", "Running since"),
            Words(
                "Durée de vie de chaque processus. Une dent de scie : il est relancé sans cesse.",
                "How long each process has run. A saw's teeth: it is started again and again.",
            ),
            [Query('time() - process_start_time_seconds{job=~"vigie-.*"}', "{{job}} {{instance}}")],
            unit="s",
            size=(12, 6),
        ),
    ]
