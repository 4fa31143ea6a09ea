"""The words of the simulated shop, harvested once from Faker and Mimesis with a fixed seed.

The only module that imports them: rows are drawn from these pools by numpy. Building takes about half a second, most
of it the two imports, so the pools are kept in memory and not shipped as data.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["CountryVocabulary", "Vocabulary", "ascii_slug", "build_vocabulary"]

_FORBIDDEN = re.compile(r"[\\\t\r\n\x00]")  # would need escaping in a bulk load; no word has a use for them
_MOST_DRAWS = 4  # draws per wanted word before a pool is accepted as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryVocabulary:
    """What people of one country are called and where they live.

    Attributes:
        country: ISO 3166 code.
        currency: What they pay in.
        share: Their share of all customers.
        tax_basis_points: Value-added or sales tax, in hundredths of a percent.
        shipping_cents: Cost of a parcel to there, in their currency.
        phone_prefix: International dialling prefix.

    """

    country: str
    currency: str
    share: float
    tax_basis_points: int
    shipping_cents: int
    phone_prefix: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    postcodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Every pool that rows are drawn from."""

    countries: tuple[CountryVocabulary, ...]
    product_words: tuple[str, ...]
    notes: tuple[str, ...]
    return_reasons: tuple[str, ...]


# country, currency, share, tax, shipping, phone prefix, Faker locale, Mimesis locale ("" where it has none)
_COUNTRIES = (
    ("DE", "EUR", 0.40, 1900, 490, "+49", "de_DE", "de"),
    ("FR", "EUR", 0.14, 2000, 690, "+33", "fr_FR", "fr"),
    ("US", "USD", 0.13, 725, 1490, "+1", "en_US", "en"),
    ("GB", "GBP", 0.11, 2000, 990, "+44", "en_GB", "en-gb"),
    ("NL", "EUR", 0.09, 2100, 590, "+31", "nl_NL", "nl"),
    ("PL", "EUR", 0.08, 2300, 890, "+48", "pl_PL", "pl"),
    ("VN", "USD", 0.05, 1000, 2490, "+84", "vi_VN", ""),
)

_ADJECTIVES = (
    "Alpine", "Amber", "Arctic", "Blue", "Bold", "Bright", "Calm", "Cedar", "Classic", "Clear", "Coastal", "Compact",
    "Copper", "Coral", "Crisp", "Daily", "Deep", "Dune", "Eco", "Elm", "Everyday", "Fern", "Fine", "Forest", "Golden",
    "Grand", "Granite", "Green", "Harbour", "Heritage", "Honest", "Indigo", "Ivory", "Juniper", "Light", "Linen",
    "Maple", "Meadow", "Midnight", "Modern", "Mossy", "Nordic", "Oak", "Ocean", "Olive", "Pearl", "Pine", "Plain",
    "Polar", "Prime", "Quiet", "Red", "River", "Rustic", "Sable", "Sand", "Silver", "Slate", "Soft", "Solid", "Stone",
    "Sunny", "Terra", "Urban", "Velvet", "Vintage", "Warm", "White", "Wild", "Willow", "Winter",
)  # fmt: skip

_NOTES = (
    "Bitte beim Nachbarn abgeben",
    "Please leave at the back door",
    "Laisser chez le gardien, merci",
    "Ring twice",
    "Gift: no invoice in the parcel, please",
    "Geschenk für Mama \U0001f381",
    "Giao giờ hành chính",
    "Dzwonić przed dostawą",
    "Niet voor 18 uur bezorgen",
    'Card text: "Happy birthday!"',
)

_RETURN_REASONS = (
    "too small",
    "too large",
    "damaged in transit",
    "not as described",
    "arrived late",
    "changed my mind",
    "ordered twice",
    "gefällt nicht",
)


def ascii_slug(text: str) -> str:
    """Lower-case ASCII letters and digits of `text`, for the local part of an e-mail address."""
    plain = text.replace("ß", "ss").replace("ł", "l").replace("Ł", "L").replace("đ", "d").replace("Đ", "D")
    folded = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "", folded)


def _pool(draw: object, wanted: int) -> tuple[str, ...]:
    """Up to `wanted` distinct words in drawing order (never a set: its order changes from process to process)."""
    assert callable(draw)
    words: dict[str, None] = {}
    for _ in range(wanted * _MOST_DRAWS):
        word = str(draw()).strip()
        if word and not _FORBIDDEN.search(word):
            words[word] = None
        if len(words) == wanted:
            break
    return tuple(words)


@lru_cache(maxsize=1)
def build_vocabulary() -> Vocabulary:
    """The pools, the same in every process; built at the first call."""
    from faker import Faker  # noqa: PLC0415 - a third of a second that `--help` need not pay
    from mimesis import Address, Locale, Person  # noqa: PLC0415 - the same

    countries = []
    for number, row in enumerate(_COUNTRIES):
        country, currency, share, tax, shipping, prefix, faker_locale, mimesis_locale = row
        fake = Faker(faker_locale, use_weighting=False)
        fake.seed_instance(7_000 + number)
        first_name: object = lambda fake=fake: (  # noqa: E731 - bound per country
            fake.random_element((fake.first_name_female, fake.first_name_male))()
        )
        city: object = fake.city
        if mimesis_locale:
            person = Person(Locale(mimesis_locale), seed=7_000 + number)
            first_name, city = person.first_name, Address(Locale(mimesis_locale), seed=7_000 + number).city
        countries.append(
            CountryVocabulary(
                country=country,
                currency=currency,
                share=share,
                tax_basis_points=tax,
                shipping_cents=shipping,
                phone_prefix=prefix,
                first_names=_pool(first_name, 160),
                last_names=_pool(fake.last_name, 200),
                streets=_pool(fake.street_name, 160),
                cities=_pool(city, 90),
                postcodes=_pool(fake.postcode, 200),
            )
        )
    return Vocabulary(
        countries=tuple(countries), product_words=_ADJECTIVES, notes=_NOTES, return_reasons=_RETURN_REASONS
    )
