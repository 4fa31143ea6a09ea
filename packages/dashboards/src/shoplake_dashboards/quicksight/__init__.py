"""The same tree as what QuickSight's API takes: definition, data sets, theme. Plain dicts; nothing here calls AWS."""
