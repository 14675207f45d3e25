"""How deep the fuzzing goes: a moment with every run of the tests, as long as one likes with `VIGIE_FUZZ=deep`.

`VIGIE_FUZZ_EXAMPLES` says how many examples a deep run gives each law. It draws others each time, keeps a failure in
`.hypothesis/` and tries it first the next time; a short run draws the same ones every time, and few, for what was ever
found stands in `found/` and is tried first.
"""

import os

from hypothesis import HealthCheck, Phase, settings

IS_DEEP = os.environ.get("VIGIE_FUZZ") == "deep"
EXAMPLES = int(os.environ.get("VIGIE_FUZZ_EXAMPLES", "5000")) if IS_DEEP else 40
"""What a law of the usual weight, 100, is tried with."""
FINDING = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target)


def fuzzing(weight: int = 100, *, shrinks: bool = True) -> settings:
    """Return the settings of a law; one that is dear to try has a smaller weight, and is tried less often.

    What is found is made as small as can be; not so where that asks for more time than a test has, and what fails says
    by itself what was asked.
    """
    return settings(
        max_examples=max(weight * EXAMPLES // 100, 1),
        deadline=None,
        phases=(*FINDING, Phase.shrink) if shrinks else FINDING,
        derandomize=not IS_DEEP,
        suppress_health_check=[*HealthCheck],
        print_blob=True,
    )
