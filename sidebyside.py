"""The public API under the package's own name: ``import sidebyside``; ``python -m sidebyside`` is the command."""

import sys

from compare import Comparison, compare

__all__ = ["Comparison", "compare"]

if __name__ == "__main__":
    from compare.__main__ import main

    sys.exit(main())
