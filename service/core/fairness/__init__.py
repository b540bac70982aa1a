"""Do decisions fall equally on groups of people? From counts, so that files, sums and live counters agree.

    counts -> rates -> impact ratios, tests -> findings
    counts with outcomes -> parity differences

Every function is pure. What cannot be computed says why; it is never a zero and never a pass.
"""
