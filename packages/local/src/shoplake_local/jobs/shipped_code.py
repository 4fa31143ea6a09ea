"""Code that was shipped to S3: fetched, and unpacked once for each content."""

import hashlib
import os
import shutil
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shoplake_engines.object_store_aws import S3_ERRORS
from shoplake_engines.private_files import private_folder

from shoplake_local.jobs import import_guard

__all__ = ["CodeNotFetchedError", "ShippedCode"]


class CodeNotFetchedError(Exception):
    """A script or wheel is not in S3, or is not what its name says."""


class ShippedCode:
    """A folder of unpacked wheels, zips and scripts, each under the hash of its content."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)

    def fetched(self, s3: Any, url: str) -> bytes:
        """The object at that s3 URL.

        Raises:
            CodeNotFetchedError: It is no s3 URL, or the object cannot be read.

        """
        parts = urlsplit(url)
        if parts.scheme not in {"s3", "s3a"} or not parts.netloc or not parts.path.strip("/"):
            raise CodeNotFetchedError(f'"{url}" is no s3://bucket/key URL')
        try:
            return bytes(s3.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"].read())
        except S3_ERRORS as error:
            raise CodeNotFetchedError(f"{url} cannot be read: {error}") from error

    def script(self, content: bytes, name: str) -> Path:
        """Where a script of that content lies."""
        folder = self._folder / hashlib.sha256(content).hexdigest()
        path = folder / name
        if not path.exists():
            scratch = self._scratch(folder)
            (scratch / name).write_bytes(content)
            _moved(scratch, folder)
        return path

    def unpacked(self, content: bytes, what: str) -> Path:
        """The folder with the members of that wheel or zip.

        Raises:
            CodeNotFetchedError: It is no zip file, or one whose members lie outside it.

        """
        folder = self._folder / hashlib.sha256(content).hexdigest()
        if folder.exists():
            return folder
        scratch = self._scratch(folder)
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                archive.extractall(scratch)  # it drops "..", absolute paths and drive letters from names
        except (zipfile.BadZipFile, OSError) as error:
            shutil.rmtree(scratch, ignore_errors=True)
            raise CodeNotFetchedError(f"{what} cannot be unpacked: {error}") from error
        _moved(scratch, folder)
        return folder

    def guard_folder(self) -> Path:
        """A folder for PYTHONPATH that holds the import guard."""
        source = Path(import_guard.__file__).read_bytes()
        return self.script(source, "sitecustomize.py").parent

    def _scratch(self, folder: Path) -> Path:
        return private_folder(folder.with_name(f"{folder.name}.{os.urandom(4).hex()}.new"))


def _moved(scratch: Path, folder: Path) -> None:
    try:
        scratch.rename(folder)
    except OSError:  # another run unpacked the same content first
        shutil.rmtree(scratch, ignore_errors=True)
        if not folder.exists():
            raise
