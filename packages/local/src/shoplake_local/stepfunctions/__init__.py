"""Step Functions of the local AWS: a small strict engine for Amazon States Language with JSONata."""
