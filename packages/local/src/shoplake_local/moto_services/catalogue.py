"""Which services moto plays here, and which of their calls write what must survive."""

__all__ = ["MOTO_SERVICES", "is_reading", "is_written_down"]

MOTO_SERVICES = (
    "iam",
    "kms",
    "ec2",
    "rds",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "scheduler",
    "cloudwatch",
    "logs",
    "resourcegroupstaggingapi",
)
_READING = ("Get", "BatchGet", "Describe", "List", "Head", "Filter", "Lookup", "Search", "Simulate", "Validate", "Test")
# Messages, measurements, and arithmetic with keys: nothing that a later call finds by an id.
_PASSING = frozenset(
    {
        "AssumeRole",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "Decrypt",
        "DeleteMessage",
        "DeleteMessageBatch",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GenerateRandom",
        "Publish",
        "PublishBatch",
        "PutMetricData",
        "ReEncrypt",
        "ReceiveMessage",
        "SendMessage",
        "SendMessageBatch",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)


def is_reading(operation: str) -> bool:
    """Whether it only reads."""
    return operation.startswith(_READING)


def is_written_down(operation: str) -> bool:
    """Whether a success of that operation must survive a kill."""
    return not is_reading(operation) and operation not in _PASSING
