"""Exit codes of a job beside those of our errors. Without Spark, so that whoever starts a job may know them."""

__all__ = ["EXIT_JVM_LOST"]

# sysexits.h EX_TEMPFAIL: nothing is half-done and nothing is wrong with the data, so the job may be started once more
EXIT_JVM_LOST = 75
