"""Run the command line: as `harvest`, and as `python -m harvest`. Ctrl-C is heard before anything is imported."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported gets one line too."""
    try:
        from harvest.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
