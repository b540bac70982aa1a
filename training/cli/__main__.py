"""`python -m training.cli` is `evenmatch-train`."""

from training.cli import main

main()
