"""What MySQL says about itself: connections, server facts, table shapes, binlog positions, snapshot reads as Arrow."""
