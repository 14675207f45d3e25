"""What a trial is to try: the console orders it, and a process of its own reads it."""

import msgspec

from records.trial import TrialAsked


class TrialOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be tried, and where: the process reads no settings of its own."""

    asked: TrialAsked
    commune: str  # the home, "" where there is none
    recording: str  # a folder
    readings: str  # one for what posts of scenarios become
