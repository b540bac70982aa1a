"""Fuzzing: whatever bytes come in, they end in a result or in an error that is made for them.

`all_targets.TARGETS`: by name. The short form runs with the tests (`test_targets.py`), the long one by
`make fuzz` (docs/testing.md).
"""
