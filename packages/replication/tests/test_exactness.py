"""Load and stream together say what SELECT says, whatever happened in between."""

import threading

from shoplake_mysql.connections import connect, execute


def test_changes_after_the_load_lead_to_what_select_says(rig):
    rig.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(20), n decimal(12,2))",
        "INSERT INTO t VALUES (1, 'one', 1.10), (2, 'two', 2.20), (3, 'three', NULL)",
    )
    rig.load()
    rig.sql(
        "UPDATE t SET v = 'uno' WHERE id = 1",
        "DELETE FROM t WHERE id = 2",
        "INSERT INTO t VALUES (4, 'four', -4.40)",
        "UPDATE t SET id = 30 WHERE id = 3",
        "REPLACE INTO t VALUES (1, 'eins', 9)",
    )
    rig.catch_up()
    assert [(row["Op"], row["id"]) for row in rig.changes("t")][:5] == [
        ("U", 1), ("D", 2), ("I", 4), ("D", 3), ("I", 30),
    ]  # fmt: skip
    rig.assert_exact("t")


def test_concurrent_writers_during_load_and_stream_lose_nothing(any_rig):
    """CDC-07: writers at full speed while the load runs, one long transaction open across it."""
    rig = any_rig
    rig.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, k int, v varchar(50))")
    rig.sql("INSERT INTO t (k, v) VALUES " + ", ".join(f"({key}, 'start')" for key in range(3000)))
    stop = threading.Event()

    def write(seed):
        with connect(rig.endpoint, database=rig.schema) as own:
            step = seed
            while not stop.is_set():
                step = (step * 1103515245 + 12345) % 2**31
                key = step % 3000
                execute(own, "INSERT INTO t (k, v) VALUES (%s, 'new'), (%s, 'newer')", (key, step))
                execute(own, "UPDATE t SET v = %s WHERE id = %s", (str(step), key))
                execute(own, "DELETE FROM t WHERE id = %s", (step % 3001,))

    with connect(rig.endpoint, database=rig.schema, autocommit=False) as long:
        execute(long, "UPDATE t SET v = 'long' WHERE id BETWEEN 100 AND 110")
        writers = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
        for writer in writers:
            writer.start()
        with rig.running():
            rig.wait_streaming()
            long.commit()
            for _ in range(300):
                execute(rig.connection, "INSERT INTO t (k, v) VALUES (1, 'main')")
            stop.set()
            for writer in writers:
                writer.join()
    rig.catch_up()
    rig.assert_exact("t")
