"""The live load: real transactions against a shop that keeps selling."""
