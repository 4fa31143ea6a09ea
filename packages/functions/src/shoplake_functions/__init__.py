"""The small Lambda functions of a run, one module each; `handlers` is where Lambda enters."""
