"""`sampan VERB`: the command line."""


def main() -> None:
    """Run one verb."""


if __name__ == "__main__":
    main()
