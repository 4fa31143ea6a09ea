"""Which files of third-party distributions a function never reads. A function's code must stay within Lambda's limit."""

from fnmatch import fnmatchcase

__all__ = ["is_stripped"]

# written for people and compilers, wherever they lie
_ENDINGS = (".pyi", ".pyx", ".pxd", ".pxi", ".h", ".hpp", ".c", ".cc", ".cpp", ".f", ".f90", ".a", ".lib", ".cmake")
_FOLDERS = frozenset({"tests", "include"})

_NEVER_IMPORTED = (
    # Flight is a server's protocol; Gandiva an LLVM compiler; nothing of ours or pyiceberg's imports them.
    # libarrow_substrait stays: pyarrow's core is linked with it
    "pyarrow/*flight*",
    "pyarrow/*gandiva*",
    "pyarrow/_substrait.*",
    "pyarrow/substrait.py",
    "pyarrow/_pyarrow_cpp_tests.*",
    "pyarrow/src/*",
    # a shared library is loaded by its name of two parts (.so.2600): these are its copies for linkers
    "pyarrow/libarrow_*.so",
    "pyarrow/libarrow_*.so.*.*",
    # the second implementation of zstandard, for Pythons without C modules
    "zstandard/_cffi.*",
    "zstandard/backend_cffi.py",
    "numpy/f2py/*",
    # pyiceberg's Hive catalogue; ours is Glue's
    "hive_metastore/*",
    "fb303/*",
)


def is_stripped(name: str) -> bool:
    """Whether the file of that name in an archive is left out."""
    folders = name.split("/")[:-1]
    return (
        name.endswith(_ENDINGS)
        or not _FOLDERS.isdisjoint(folders)
        or any(fnmatchcase(name, pattern) for pattern in _NEVER_IMPORTED)
    )
