# SPDX-License-Identifier: MIT
"""Damage to a file: what a torn write, a bad disk or a careless hand leaves."""

import os


def cut(random, file, size):
    """Somewhere, as often as not in the middle of a page."""
    file.truncate(random.randrange(size))


def empty(_random, file, _size):
    file.truncate(0)


def flip(random, file, size):
    """Single bits, each somewhere."""
    for _ in range(random.choice([1, 3, 30])):
        place = random.randrange(size)
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << random.randrange(8)]))


def head(random, file, size):
    file.seek(random.randrange(min(100, size)))
    file.write(bytes([random.randrange(256)]))


def blot(random, file, size, what=None):
    """Some sectors are of other people's data, or nothing."""
    count = random.choice([1, 8, 64])
    file.seek(random.randrange(size) // 512 * 512)
    file.write(what or random.randbytes(512 * count))


def zero(random, file, size):
    blot(random, file, size, bytes(512 * random.choice([1, 8, 64])))


def do(random, path):
    """One kind of it. A file that is not there stays so."""
    if not os.path.exists(path):
        return
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if size:
            random.choice([cut, empty, flip, flip, head, blot, zero])(random, file, size)
