import errno
import os
from pathlib import Path

import pytest
from shoplake_core.full_disk import full_disk_error


def test_a_real_full_device_is_told_with_folder_and_next_step():
    with pytest.raises(OSError) as caught:
        Path("/dev/full").write_text("x")
    told = full_disk_error(caught.value, Path("/state"))
    assert "no room to write" in told.message
    assert "/state: No space left on device" in told.message
    assert "make room on that disk" in told.hint
    assert told.exit_code == 4


def test_the_file_is_named_where_it_is_known():
    told = full_disk_error(OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "/state/position.json"), Path("/state"))
    assert "/state/position.json" in told.message


def test_other_errors_are_none_of_its_business():
    assert full_disk_error(PermissionError(errno.EACCES, "denied"), Path("/state")) is None
