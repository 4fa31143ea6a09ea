"""The console's style and script, as files: its pages hold neither."""
