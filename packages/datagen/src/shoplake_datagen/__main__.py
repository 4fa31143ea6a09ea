"""`python -m shoplake_datagen`."""

from shoplake_datagen.command import main

if __name__ == "__main__":
    raise SystemExit(main())
