"""The catalogue of an environment: a database a layer, and the crawler that fills bronze's."""

from collections.abc import Mapping
from dataclasses import dataclass

from shoplake_core.names import ResourceNames

from shoplake_infra.resource import Resource
from shoplake_infra.resources.glue_crawler import S3Target, glue_crawler
from shoplake_infra.resources.glue_database import glue_database

__all__ = ["CatalogueSettings", "desired_catalogue"]

_TABLE_LEVEL = 3  # bucket/schema/table/


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSettings:
    """How bronze's tables are named.

    Attributes:
        table_prefix: Before a table's folder name, such as "shop__"; "" for a crawler that does it by itself.

    """

    table_prefix: str = ""


def desired_catalogue(
    names: ResourceNames, settings: CatalogueSettings, *, crawler_role: Resource, tags: Mapping[str, Mapping[str, str]]
) -> tuple[Resource, ...]:
    """Databases and crawler; `tags` are by layer.

    The crawler is started only where files have a shape that the catalogue does not know, and must then write new columns
    and tables. AWS does neither in a crawl of new folders only, so that each crawl looks at everything.
    """
    layers = {
        "bronze": (names.bronze_database, names.bronze_bucket, "Changes as they were captured"),
        "silver": (names.silver_database, names.silver_bucket, "The source's rows as they are now"),
        "gold": (names.gold_database, names.gold_bucket, "Facts and dimensions"),
    }
    databases = {
        layer: glue_database(
            name,
            description=description,
            location=f"s3://{bucket_name}/",
            tags=tags[layer],
            depends_on=(f"bucket {bucket_name}",),
        )
        for layer, (name, bucket_name, description) in layers.items()
    }
    crawler = glue_crawler(
        names.crawler,
        description="New shapes of bronze's files into the catalogue",
        role=crawler_role,
        database=databases["bronze"],
        target=S3Target(
            url=f"s3://{names.bronze_bucket}/", table_level=_TABLE_LEVEL, table_prefix=settings.table_prefix
        ),
        tags=tags["bronze"],
    )
    return (*databases.values(), crawler)
