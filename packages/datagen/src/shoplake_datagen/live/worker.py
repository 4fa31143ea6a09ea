"""What every kind of transaction is given."""

from dataclasses import dataclass

import numpy as np

from shoplake_datagen.live.facts import ShopFacts
from shoplake_datagen.live.session import Session
from shoplake_datagen.vocabulary import Vocabulary

__all__ = ["Worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One transaction's surroundings.

    Attributes:
        session: The connection.
        facts: The shop as the load found it.
        vocabulary: Names and places.
        rng: This transaction's own stream.
        unique: A text that no other transaction of any load on this shop has.
        dirt: Whether reserved keys get a planted fault.

    """

    session: Session
    facts: ShopFacts
    vocabulary: Vocabulary
    rng: np.random.Generator
    unique: str
    dirt: bool

    def pick(self, count: int) -> int:
        """A number from 0 to before `count`."""
        return int(self.rng.integers(0, count))

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return bool(self.rng.random() < share)
