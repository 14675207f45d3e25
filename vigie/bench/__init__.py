"""`vigie bench`: how fast Vigie is on this machine, beside what the same functions reach without it.

Figures depend on the machine; ratios of one run less so. Nothing else should run meanwhile.
"""
