"""What the smoke costs at most, in dollars, before anything is made: about, for prices change and differ by region."""

from dataclasses import dataclass

__all__ = ["CostItem", "estimate", "printed"]


@dataclass(frozen=True)
class CostItem:
    """One thing that is paid for: what it is, how many units of it, and what one costs."""

    what: str
    units: float
    dollars_a_unit: float

    @property
    def dollars(self) -> float:
        return self.units * self.dollars_a_unit


def estimate(hours: float) -> tuple[CostItem, ...]:
    """All that the smoke's environment pays for, if it stands for so many hours.

    AWS's price lists for eu-central-1, as of November 2026 and rounded up: aws.amazon.com/{rds/mysql,dms,privatelink,
    redshift,glue,kms}/pricing. A secret or key that waits for its deletion costs nothing.
    """
    return (
        CostItem("RDS: db.t4g.micro, hours", hours, 0.02),
        CostItem("RDS: 20 GiB gp3, hours", hours, 0.004),
        CostItem("DMS: dms.t3.medium, hours", hours, 0.1),
        CostItem("VPC: 6 endpoints in 3 zones, hours", hours, 18 * 0.012),
        CostItem("Redshift Serverless: 8 RPU, hours in use", min(hours, 1.0) * 8, 0.46),
        CostItem("Glue: 10 runs of 2 workers for 4 minutes, DPU hours", 10 * 2 * 4 / 60, 0.44),
        CostItem("Glue: crawler, DPU hours", 0.4, 0.44),
        CostItem("KMS, Secrets Manager, CloudWatch, S3, Lambda, Step Functions", 1, 0.3),
    )


def printed(items: tuple[CostItem, ...]) -> list[str]:
    """The lines that tell it, the sum last."""
    lines = [f"  {item.dollars:6.2f} $  {item.what}" for item in items]
    return [*lines, f"  {sum(item.dollars for item in items):6.2f} $  at most, about"]
