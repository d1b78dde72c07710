"""`python -m reconciler` is `provider-daemon`."""

from reconciler.cli.main import main

if __name__ == "__main__":
    main()
