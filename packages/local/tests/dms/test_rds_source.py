"""An RDS instance stands where the laptop's MySQL stands."""

import pymysql


def test_its_address_leads_to_the_mysql_that_is_there(laptop):
    rds = laptop.client("rds")
    shape = {"DBInstanceClass": "db.t4g.medium", "AllocatedStorage": 20}
    login = {"MasterUsername": "admin", "MasterUserPassword": "password-of-rds"}
    made = rds.create_db_instance(DBInstanceIdentifier="shop", Engine="mysql", Port=3307, **shape, **login)[
        "DBInstance"
    ]
    rds.create_db_instance(DBInstanceIdentifier="other", Engine="postgres", **shape, **login)
    at = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"][0]["Endpoint"]
    assert at == made["Endpoint"] == {"Address": laptop.mysql.host, "Port": laptop.mysql.port}
    with pymysql.connect(
        host=at["Address"], port=at["Port"], user=laptop.mysql.user, password=laptop.mysql.password
    ) as connection:
        assert connection.get_server_info()
    other = rds.describe_db_instances(DBInstanceIdentifier="other")["DBInstances"][0]["Endpoint"]
    assert (other["Address"].partition(".")[0], other["Port"]) == ("other", 5432)
