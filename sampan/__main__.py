"""`sampan VERB`: the command line."""

from sampan.ops.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
