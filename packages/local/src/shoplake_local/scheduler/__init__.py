"""EventBridge Scheduler's acting half: when schedules are due, and that their targets are called once for each time."""
