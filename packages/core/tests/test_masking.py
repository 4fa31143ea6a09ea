"""Keyed masking, compared with the standard library's HMAC and with what it must not be."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shoplake_core.errors import CredentialError
from shoplake_core.masking import MaskingKey, masking_key_from_hex


@given(st.binary(min_size=32, max_size=100), st.text())
def test_the_pads_build_the_same_hmac(secret, text):
    """Spark has no HMAC function: etl builds it from these pads and two hashes."""
    key = MaskingKey(secret)
    inner = hashlib.sha256(key.inner_pad + text.encode()).digest()
    assert hashlib.sha256(key.outer_pad + inner).hexdigest() == key.mask(text)


def test_a_masked_email_cannot_be_looked_up():
    """Case PRV-01: no unkeyed hash of the address gives the masked value."""
    masked = masking_key_from_hex("ab" * 32).mask("jane.roe@example.com")
    for name in ("md5", "sha1", "sha256", "sha512"):
        for text in ("jane.roe@example.com", "JANE.ROE@EXAMPLE.COM"):
            assert hashlib.new(name, text.encode()).hexdigest() != masked


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "AB" * 32, "a" * 65])
def test_a_weak_or_missing_key_is_refused_without_showing_it(text):
    with pytest.raises(CredentialError) as caught:
        masking_key_from_hex(text)
    assert not text or text not in str(caught.value)


def test_a_key_never_prints_itself():
    assert "abab" not in repr(masking_key_from_hex("ab" * 32))
