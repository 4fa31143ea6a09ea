"""What MySQL says about itself: connections, server facts, table shapes, binlog positions, snapshots, rows as Arrow."""
