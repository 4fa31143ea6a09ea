"""What an operation is called in a policy, S3's too, whose names in IAM are other ones."""

from shoplake_local.identity.resources import action_of

_S3 = {
    "HeadBucket": ("ListBucket",),
    "HeadObject": ("GetObject",),
    "ListObjectVersions": ("ListBucketVersions",),
    "ListMultipartUploads": ("ListBucketMultipartUploads",),
    "DeleteObjects": ("DeleteObject", "DeleteObjectVersion"),
    "GetBucketEncryption": ("GetEncryptionConfiguration",),
    "PutBucketEncryption": ("PutEncryptionConfiguration",),
    "GetBucketLifecycleConfiguration": ("GetLifecycleConfiguration",),
    "PutBucketLifecycleConfiguration": ("PutLifecycleConfiguration",),
    "DeleteBucketLifecycle": ("PutLifecycleConfiguration",),
    "GetPublicAccessBlock": ("GetBucketPublicAccessBlock",),
    "PutPublicAccessBlock": ("PutBucketPublicAccessBlock",),
}


def actions_of(operation):
    """The actions that a caller of the operation needs; everybody may ask who he is."""
    if operation.name == "GetCallerIdentity":
        return set()
    if operation.service_model.service_name == "s3":
        return {f"s3:{action}" for action in _S3.get(operation.name, (operation.name,))}
    return {action_of(operation)}
