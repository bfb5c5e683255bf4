"""Run the command line as `python -m harvest`."""

from harvest.cli.main import main

if __name__ == "__main__":
    main()
