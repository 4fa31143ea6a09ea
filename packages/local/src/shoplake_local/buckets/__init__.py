"""S3 at the front: settings of buckets that the object store has no word for are kept here, all else goes on to it."""
