"""thalweg's random numbers from its keys (crates/thalweg-kernel/src/random.rs), written out for the masks of dropout.

A key is a key of ChaCha12. Its numbers are its stream 0; its child of number n is the beginning of block 2^63 of stream n.
"""

import struct

MASK = 0xFFFFFFFF


def block(key, counter, stream):
    """A ChaCha block of 12 rounds (Bernstein 2008), as 16 words: a counter and a stream of 64 bits each."""
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key)]
    start += [counter & MASK, counter >> 32, stream & MASK, stream >> 32]
    x = list(start)

    def quarter(a, b, c, d):
        for one, two, three, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[one] = (x[one] + x[two]) & MASK
            mixed = x[three] ^ x[one]
            x[three] = ((mixed << bits) | (mixed >> (32 - bits))) & MASK

    for _ in range(6):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (1 + i) % 4, 8 + (2 + i) % 4, 12 + (3 + i) % 4)
    return [(a + b) & MASK for a, b in zip(x, start)]


def fold_in(key, number):
    return struct.pack("<8I", *block(key, 1 << 63, number)[:8])


def from_seed(seed):
    return fold_in(seed.to_bytes(8, "little") + b"thalweg random key, v.01", 0)


def uniforms(key, count):
    """In [0, 1), multiples of 2^-24."""
    words = [word for counter in range((count + 15) // 16) for word in block(key, counter, 0)]
    return [(word >> 8) / (1 << 24) for word in words[:count]]


# The numbers that the kernel's own test has.
assert [struct.pack(">f", u).hex() for u in uniforms(from_seed(0), 2)] == ["3f149f28", "3f7345b3"]
