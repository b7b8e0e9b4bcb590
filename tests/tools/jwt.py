#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Signs tokens (RFC 7519) for tests, with the standard library and openssl(1) alone.

    jwt.py HS256 SECRET '{"exp": NOW + 60, "forms": "*"}'
    jwt.py ES256 KEY.pem '{"exp": NOW + 60, "forms": ["60f7b1b9e1234567890abcde"]}'

NOW is the time in seconds. The algorithm `none` leaves the signature empty.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def raw_signature(der, size):
    """What openssl writes of an ECDSA signature is a SEQUENCE of two INTEGERs; a token wants both at full length."""
    at = 2 if der[1] < 128 else 3
    out = b""
    for _ in range(2):
        length = der[at + 1]
        out += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(size, b"\0")
        at += 2 + length
    return out


def sign(algorithm, key, text):
    digest = "sha" + algorithm[2:]
    if algorithm == "none":
        return b""
    if algorithm == "EdDSA":
        # It reads its input twice, so a pipe will not do.
        with tempfile.NamedTemporaryFile() as file:
            file.write(text)
            file.flush()
            return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", file.name],
                                  stdout=subprocess.PIPE, check=True).stdout
    if algorithm.startswith("HS"):
        return hmac.new(key.encode(), text, digest).digest()
    der = subprocess.run(["openssl", "dgst", "-" + digest, "-sign", key], input=text, stdout=subprocess.PIPE,
                         check=True).stdout
    return raw_signature(der, {"256": 32, "384": 48, "512": 66}[algorithm[2:]]) if algorithm[0] == "E" else der


def token(algorithm, key, claims):
    head = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    text = encode(head) + b"." + encode(json.dumps(claims).encode())
    return (text + b"." + encode(sign(algorithm, key, text))).decode()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    print(token(sys.argv[1], sys.argv[2], eval(sys.argv[3], {"NOW": int(time.time()), "null": None})))
