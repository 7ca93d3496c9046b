"""`python -m socialnet`, the same as the console script."""

from socialnet.cli import main

if __name__ == "__main__":
    main()
