"""How much faster are rows drawn from harvested pools than made one at a time by Faker?

Ratios only: both sides run in this process, one after the other. The customer is the same on both sides: name, e-mail,
phone, birth date, country, time of creation. `test_customers` and `test_whole_shop` show the rates themselves.
"""

import time
from datetime import UTC, datetime

import numpy as np
from faker import Faker
from shoplake_datagen import ShopSettings, draw_shop
from shoplake_datagen.people import customer_rows, draw_countries
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import build_vocabulary

REFERENCE = datetime(2026, 3, 31, 12, tzinfo=UTC)
CUSTOMERS = 40_000
FAKER_CUSTOMERS = 1_500
LEAST_RATIO = 15  # about 50 on a quiet machine; the rest is left for a busy one


def customers_as_text() -> int:
    """Draw customers and write them as the bulk load does; the bytes written."""
    vocabulary = build_vocabulary()
    rows = customer_rows(
        7,
        vocabulary,
        countries=draw_countries(stream(7, "countries"), CUSTOMERS, vocabulary),
        created_at=np.arange(CUSTOMERS, dtype=np.int64) * 1_000_000 + 1_700_000_000_000_000,
        is_guest=stream(7, "guests").random(CUSTOMERS) < 0.2,
        end=1_800_000_000_000_000,
    )
    return sum(len(chunk) for _, chunk in rows.tsv_chunks(20_000))


def customers_by_faker(fake: Faker) -> int:
    """The same, a call a field, as most seed scripts do."""
    return sum(
        len(
            f"{number}\t{fake.email()}\t{fake.name()}\t{fake.phone_number()}\t{fake.date_of_birth()}"
            f"\t{fake.country_code()}\t{fake.date_time_this_decade()}\n"
        )
        for number in range(FAKER_CUSTOMERS)
    )


def rows_a_second(make, rows: int) -> float:
    """The better of two runs."""
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        make()
        best = min(best, time.process_time() - began)
    return rows / best


def test_drawn_customers_against_faker():
    build_vocabulary()
    fake = Faker("en_US")
    fake.seed_instance(7)
    ours = rows_a_second(customers_as_text, CUSTOMERS)
    faker = rows_a_second(lambda: customers_by_faker(fake), FAKER_CUSTOMERS)
    print(f"\ndrawn {ours:,.0f} rows/s, Faker {faker:,.0f} rows/s: {ours / faker:.0f} times as many (CPU time)")
    assert ours / faker > LEAST_RATIO


def test_customers(benchmark):
    build_vocabulary()
    assert benchmark(customers_as_text) > 0


def test_whole_shop(benchmark):
    """20,000 orders with all that belongs to them, drawn and written as text."""
    build_vocabulary()

    def whole() -> int:
        shop = draw_shop(ShopSettings(orders=20_000, seed=7, reference_time=REFERENCE))
        return sum(rows for table in shop.tables for rows, _ in table.tsv_chunks(20_000))

    assert benchmark.pedantic(whole, rounds=3) > 80_000
