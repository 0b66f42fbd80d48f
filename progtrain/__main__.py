"""`python -m progtrain` is `progtrain`."""

from progtrain.cli import main

main()
