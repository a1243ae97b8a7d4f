"""`python -m hpsearch` is the command line."""

from hpsearch.cli import main

if __name__ == "__main__":
    main()
