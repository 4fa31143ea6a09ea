"""The shop's MySQL schema: ten tables in an order in which every parent comes before its children.

Foreign keys restrict everywhere: a cascade never reaches the binlog, so the replicator would miss it.
Runs on MySQL and MariaDB alike; creating it twice changes nothing.
"""

from pymysql.connections import Connection
from shoplake_core.identifiers import checked_identifier

__all__ = ["TABLE_NAMES", "create_schema", "create_statements", "drop_tables", "table_row_counts"]

_UPDATED_AT = "updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"

_TABLES: dict[str, str] = {
    "categories": f"""
        category_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        parent_id INT UNSIGNED NULL,
        name VARCHAR(80) NOT NULL,
        {_UPDATED_AT},
        PRIMARY KEY (category_id),
        CONSTRAINT categories_parent FOREIGN KEY (parent_id) REFERENCES categories (category_id) ON DELETE RESTRICT
    """,
    "products": f"""
        product_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        category_id INT UNSIGNED NOT NULL,
        sku VARCHAR(12) NOT NULL,
        title VARCHAR(120) NOT NULL,
        price DECIMAL(12,2) NOT NULL,
        currency CHAR(3) NOT NULL,
        attributes JSON NULL,
        tags SET('new','sale','gift','bulky') NULL,
        is_active BIT(1) NOT NULL,
        weight_grams INT NULL,
        created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        {_UPDATED_AT},
        PRIMARY KEY (product_id),
        UNIQUE KEY products_sku (sku),
        CONSTRAINT products_category FOREIGN KEY (category_id) REFERENCES categories (category_id) ON DELETE RESTRICT
    """,
    "inventory_levels": f"""
        product_id INT UNSIGNED NOT NULL,
        warehouse_id SMALLINT UNSIGNED NOT NULL,
        on_hand INT NOT NULL,
        committed INT NOT NULL,
        {_UPDATED_AT},
        PRIMARY KEY (product_id, warehouse_id),
        CONSTRAINT inventory_product FOREIGN KEY (product_id) REFERENCES products (product_id) ON DELETE RESTRICT
    """,
    "stock_movements": f"""
        movement_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        product_id INT UNSIGNED NOT NULL,
        warehouse_id SMALLINT UNSIGNED NOT NULL,
        kind ENUM('opening','receipt','shipment','return','correction') NOT NULL,
        quantity INT NOT NULL,
        moved_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        {_UPDATED_AT},
        PRIMARY KEY (movement_id),
        CONSTRAINT movements_product FOREIGN KEY (product_id) REFERENCES products (product_id) ON DELETE RESTRICT
    """,
    "customers": f"""
        customer_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        email VARCHAR(255) NULL,
        full_name VARCHAR(200) NULL,
        phone VARCHAR(40) NULL,
        birth_date DATE NULL,
        country CHAR(2) NOT NULL,
        loyalty_since VARCHAR(20) NULL,
        marketing_opt_in TINYINT(1) NOT NULL,
        is_guest TINYINT(1) NOT NULL,
        created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        {_UPDATED_AT},
        PRIMARY KEY (customer_id)
    """,
    "addresses": f"""
        address_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        customer_id BIGINT UNSIGNED NOT NULL,
        kind ENUM('billing','shipping') NOT NULL,
        line1 VARCHAR(200) NULL,
        city VARCHAR(100) NULL,
        postcode VARCHAR(20) NULL,
        country CHAR(2) NOT NULL,
        {_UPDATED_AT},
        PRIMARY KEY (address_id),
        CONSTRAINT addresses_customer FOREIGN KEY (customer_id) REFERENCES customers (customer_id) ON DELETE RESTRICT
    """,
    "orders": f"""
        order_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        customer_id BIGINT UNSIGNED NOT NULL,
        status ENUM('pending','paid','shipped','delivered','cancelled') NOT NULL,
        channel VARCHAR(20) NULL,
        currency CHAR(3) NOT NULL,
        exchange_rate DECIMAL(12,6) NOT NULL,
        subtotal DECIMAL(12,2) NOT NULL,
        discount DECIMAL(12,2) NOT NULL,
        tax DECIMAL(12,2) NOT NULL,
        shipping DECIMAL(12,2) NOT NULL,
        total DECIMAL(12,2) NOT NULL,
        ship_country CHAR(2) NOT NULL,
        is_test TINYINT(1) NOT NULL,
        note TEXT NULL,
        placed_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        cancelled_at TIMESTAMP(6) NULL DEFAULT NULL,
        {_UPDATED_AT},
        PRIMARY KEY (order_id),
        CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (customer_id) ON DELETE RESTRICT
    """,
    "order_items": f"""
        order_id BIGINT UNSIGNED NOT NULL,
        line_no SMALLINT UNSIGNED NOT NULL,
        product_id INT UNSIGNED NOT NULL,
        quantity SMALLINT UNSIGNED NOT NULL,
        unit_price DECIMAL(12,4) NOT NULL,
        discount DECIMAL(12,2) NOT NULL,
        is_gift_card TINYINT(1) NOT NULL DEFAULT 0,
        {_UPDATED_AT},
        PRIMARY KEY (order_id, line_no),
        CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders (order_id) ON DELETE RESTRICT,
        CONSTRAINT items_product FOREIGN KEY (product_id) REFERENCES products (product_id) ON DELETE RESTRICT
    """,
    "payments": f"""
        payment_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        order_id BIGINT UNSIGNED NOT NULL,
        method ENUM('card','paypal','invoice','gift_card') NOT NULL,
        status ENUM('authorized','captured','failed','refunded') NOT NULL,
        amount DECIMAL(12,2) NOT NULL,
        currency CHAR(3) NOT NULL,
        paid_at TIMESTAMP(6) NULL DEFAULT NULL,
        {_UPDATED_AT},
        PRIMARY KEY (payment_id),
        CONSTRAINT payments_order FOREIGN KEY (order_id) REFERENCES orders (order_id) ON DELETE RESTRICT
    """,
    "refunds": f"""
        refund_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        order_id BIGINT UNSIGNED NOT NULL,
        line_no SMALLINT UNSIGNED NOT NULL,
        quantity SMALLINT UNSIGNED NOT NULL,
        amount DECIMAL(12,2) NOT NULL,
        reason VARCHAR(200) NULL,
        refunded_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        {_UPDATED_AT},
        PRIMARY KEY (refund_id),
        CONSTRAINT refunds_line FOREIGN KEY (order_id, line_no) REFERENCES order_items (order_id, line_no)
            ON DELETE RESTRICT
    """,
}

TABLE_NAMES: tuple[str, ...] = tuple(_TABLES)


def create_statements(schema: str) -> tuple[str, ...]:
    """The statements that make the schema where it is missing, parents first."""
    checked_identifier(schema, "schema")
    return (
        f"CREATE DATABASE IF NOT EXISTS `{schema}` CHARACTER SET utf8mb4",
        *(
            f"CREATE TABLE IF NOT EXISTS `{schema}`.`{name}` ({body}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
            for name, body in _TABLES.items()
        ),
    )


def create_schema(connection: Connection, schema: str) -> None:
    """Make the schema and its tables where they are missing."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_notes = 0")  # "already exists" is the expected case of a second run
        for statement in create_statements(schema):
            cursor.execute(statement)
        cursor.execute("SET SESSION sql_notes = 1")


def drop_tables(connection: Connection, schema: str) -> None:
    """Drop the shop's tables, children first; other tables of the schema stay."""
    checked_identifier(schema, "schema")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_notes = 0")
        for name in reversed(TABLE_NAMES):
            cursor.execute(f"DROP TABLE IF EXISTS `{schema}`.`{name}`")
        cursor.execute("SET SESSION sql_notes = 1")


def table_row_counts(connection: Connection, schema: str) -> dict[str, int]:
    """Rows of each of the shop's tables that exists, counted."""
    checked_identifier(schema, "schema")
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (schema,))
        present = {str(row[0]).lower() for row in cursor.fetchall()}
        counts: dict[str, int] = {}
        for name in TABLE_NAMES:
            if name in present:
                cursor.execute(f"SELECT COUNT(*) FROM `{schema}`.`{name}`")
                row = cursor.fetchone()
                counts[name] = int(row[0]) if row else 0
    return counts
