"""Lambda: functions kept, and run as processes from their own zip files."""
