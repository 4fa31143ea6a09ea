"""The command shoplake: from a MySQL shop to dashboards, on AWS or on one laptop."""
