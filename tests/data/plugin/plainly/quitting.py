"""The mistake: a script in place of a module."""

import sys

sys.exit()
