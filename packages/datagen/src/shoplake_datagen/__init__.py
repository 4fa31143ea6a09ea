"""The simulated shop: its schema, its history, its live load, its planted dirt and the ledger of it."""

from shoplake_datagen.ledger import Expectation, LedgerEntry, ledger_from_lines, ledger_lines
from shoplake_datagen.load import LoadProgress, LoadReport, Profile, run_load
from shoplake_datagen.seeding import SeedProgress, SeedReport, ShopNotEmptyError, seed
from shoplake_datagen.shop import Shop, ShopSettings, draw_shop

__all__ = [
    "Expectation",
    "LedgerEntry",
    "LoadProgress",
    "LoadReport",
    "Profile",
    "SeedProgress",
    "SeedReport",
    "Shop",
    "ShopNotEmptyError",
    "ShopSettings",
    "draw_shop",
    "ledger_from_lines",
    "ledger_lines",
    "run_load",
    "seed",
]
