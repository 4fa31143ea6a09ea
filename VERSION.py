"""The one version of every Shoplake package."""

__version__ = "0.1.0"
