"""Who buys: customer accounts, guests, and where they live.

E-mail addresses are unique by construction: the customer's id stands in each. Some guests are people who have an
account too and type its address, so that a person is found by the address and not by the id.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shoplake_datagen.arrivals import MICROSECONDS_A_DAY
from shoplake_datagen.rows import Column, Form, TableRows
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import CountryVocabulary, Vocabulary, ascii_slug

__all__ = [
    "ADDRESS_ID_BASE",
    "EMAIL_DOMAINS",
    "address_line",
    "address_rows",
    "customer_rows",
    "draw_countries",
    "email_address",
]

EMAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org")
ADDRESS_ID_BASE = 1_000_000  # ids below it stay free: the live load renumbers some addresses into them
_GUESTS_WITH_ACCOUNT = 0.2
_Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Slugs:
    first: tuple[str, ...]
    last: tuple[str, ...]


def email_address(first: str, last: str, unique: str, domain: str) -> str:
    """A valid lower-case address that no other `unique` part gives."""
    return f"{ascii_slug(first) or 'a'}.{ascii_slug(last) or 'b'}.{unique}@{domain}"


def address_line(country: str, street: str, number: int) -> str:
    """Street and house number in the country's own order."""
    return f"{number} {street}" if country in {"FR", "GB", "US", "VN"} else f"{street} {number}"


def _full_name(country: str, first: str, last: str) -> str:
    return f"{last} {first}" if country == "VN" else f"{first} {last}"


def draw_countries(rng: np.random.Generator, count: int, vocabulary: Vocabulary) -> _Integers:
    """The number of a country in the vocabulary for each of `count` customers."""
    shares = np.cumsum([country.share for country in vocabulary.countries])
    return np.asarray(np.searchsorted(shares, rng.random(count) * shares[-1], side="right"), dtype=np.int64)


def _words(rng: np.random.Generator, countries: _Integers, pools: list[tuple[str, ...]]) -> list[int]:
    sizes = np.array([len(pool) for pool in pools])
    return [int(n) for n in (rng.random(len(countries)) * sizes[countries]).astype(np.int64)]


def customer_rows(
    seed: int,
    vocabulary: Vocabulary,
    *,
    countries: _Integers,
    created_at: _Integers,
    is_guest: NDArray[np.bool_],
    end: int,
) -> TableRows:
    """The customers whose country, time of creation and kind are given; customer number n has the id n + 1."""
    rng = stream(seed, "customers")
    count = len(countries)
    places: tuple[CountryVocabulary, ...] = vocabulary.countries
    first = _words(rng, countries, [place.first_names for place in places])
    last = _words(rng, countries, [place.last_names for place in places])
    domain = rng.integers(0, len(EMAIL_DOMAINS), count).tolist()
    phone = rng.integers(200_000_000, 999_999_999, count).tolist()
    slugs = [
        _Slugs(tuple(ascii_slug(n) or "a" for n in p.first_names), tuple(ascii_slug(n) or "b" for n in p.last_names))
        for p in places
    ]
    names, emails, phones = [], [], []
    for number, place in enumerate(countries.tolist()):
        country = places[place]
        names.append(
            _full_name(country.country, country.first_names[first[number]], country.last_names[last[number]]).encode()
        )
        slug = slugs[place]
        local = f"{slug.first[first[number]]}.{slug.last[last[number]]}.{number + 1:x}"
        emails.append(f"{local}@{EMAIL_DOMAINS[domain[number]]}".encode())
        phones.append(f"{country.phone_prefix} {phone[number]}".encode())
    numbers = np.arange(count, dtype=np.int64)
    email_of = numbers.copy()
    accounts = np.flatnonzero(~is_guest)
    known = np.flatnonzero(is_guest & (rng.random(count) < _GUESTS_WITH_ACCOUNT))
    if len(accounts):
        email_of[known] = accounts[(rng.random(len(known)) * len(accounts)).astype(np.int64)]
    born = rng.integers(-12_000, 13_500, count)  # 1937 to 2006
    loyal = ~is_guest & (rng.random(count) < 0.3)
    created_day = created_at // MICROSECONDS_A_DAY
    distinct_days, day_number = np.unique(created_day, return_inverse=True)
    days = [text.encode() for text in np.datetime_as_string(distinct_days.astype("datetime64[D]")).tolist()]
    touched = np.minimum(created_at + rng.integers(0, 90 * MICROSECONDS_A_DAY, count), end - 1)
    return TableRows(
        name="customers",
        columns=(
            Column(name="customer_id", form=Form.INTEGER, values=numbers + 1),
            Column(name="email", form=Form.POOL, values=email_of, pool=emails),
            Column(name="full_name", form=Form.POOL, values=numbers, pool=names),
            Column(name="phone", form=Form.POOL, values=numbers, nulls=rng.random(count) < 0.15, pool=phones),
            Column(name="birth_date", form=Form.DATE, values=born, nulls=is_guest | (rng.random(count) < 0.3)),
            Column(name="country", form=Form.POOL, values=countries, pool=[place.country.encode() for place in places]),
            Column(name="loyalty_since", form=Form.POOL, values=day_number, nulls=~loyal, pool=days),
            Column(name="marketing_opt_in", form=Form.INTEGER, values=(rng.random(count) < 0.4).astype(np.int64)),
            Column(name="is_guest", form=Form.INTEGER, values=is_guest.astype(np.int64)),
            Column(name="created_at", form=Form.TIMESTAMP, values=created_at),
            Column(
                name="updated_at", form=Form.TIMESTAMP, values=np.where(rng.random(count) < 0.3, touched, created_at)
            ),
        ),
    )


def address_rows(
    seed: int, vocabulary: Vocabulary, *, countries: _Integers, created_at: _Integers, is_guest: NDArray[np.bool_]
) -> TableRows:
    """A billing address for each account, a shipping address for each guest and for two accounts of five."""
    rng = stream(seed, "addresses")
    accounts = np.flatnonzero(~is_guest)
    shipping = np.flatnonzero(is_guest | (rng.random(len(countries)) < 0.4))
    customer = np.concatenate([accounts, shipping])
    kind = np.concatenate([np.zeros(len(accounts), dtype=np.int64), np.ones(len(shipping), dtype=np.int64)])
    order = np.lexsort((kind, customer))
    customer, kind = customer[order], kind[order]
    place = countries[customer]
    places = vocabulary.countries
    street = _words(rng, place, [p.streets for p in places])
    city = _words(rng, place, [p.cities for p in places])
    postcode = _words(rng, place, [p.postcodes for p in places])
    house = rng.integers(1, 200, len(customer)).tolist()
    lines, cities, postcodes = [], [], []
    for number, place_number in enumerate(place.tolist()):
        where = places[place_number]
        lines.append(address_line(where.country, where.streets[street[number]], house[number]).encode())
        cities.append(where.cities[city[number]].encode())
        postcodes.append(where.postcodes[postcode[number]].encode())
    numbers = np.arange(len(customer), dtype=np.int64)
    return TableRows(
        name="addresses",
        columns=(
            Column(name="address_id", form=Form.INTEGER, values=numbers + ADDRESS_ID_BASE + 1),
            Column(name="customer_id", form=Form.INTEGER, values=customer + 1),
            Column(name="kind", form=Form.POOL, values=kind, pool=(b"billing", b"shipping")),
            Column(name="line1", form=Form.POOL, values=numbers, pool=lines),
            Column(name="city", form=Form.POOL, values=numbers, pool=cities),
            Column(name="postcode", form=Form.POOL, values=numbers, pool=postcodes),
            Column(name="country", form=Form.POOL, values=place, pool=[p.country.encode() for p in places]),
            Column(name="updated_at", form=Form.TIMESTAMP, values=created_at[customer]),
        ),
    )
