"""Verifies an exported audit log by itself: python independent.py FOLDER VKEY [NOTE...]

Written from C2SP signed-note, tlog-checkpoint and tlog-tiles and from RFC 6962; it shares nothing with the Rust code.
Prints one JSON object: {"leaves", "root"} and exit code 0, or {"fault", "path", "leaf"} and exit code 1.
An empty folder is a log nobody has signed yet.
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Fault(Exception):
    def __init__(self, why, path, leaf=None):
        super().__init__(why)
        self.told = {"fault": why, "path": path, "leaf": leaf}


def sha256(data):
    return hashlib.sha256(data).digest()


def checkpoint_of(note, vkey, path):
    """(size, root) of a signed note."""
    try:
        name, key_id, key = vkey.split("+", 2)
        key = base64.b64decode(key, validate=True)
        assert key[0] == 1 and sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "the verifier key"
        text, signatures = note.decode().rsplit("\n\n", 1)
        text += "\n"
        good = 0
        for line in signatures.splitlines():
            dash, signer, signature = line.split(" ")
            signature = base64.b64decode(signature, validate=True)
            if dash == "\u2014" and signer == name and signature[:4].hex() == key_id:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
                good += 1
        origin, size, root = text.split("\n")[:3]
        root = base64.b64decode(root, validate=True)
        assert good and origin == name and size == str(int(size)) and len(root) == 32, "the checkpoint"
        return int(size), root
    except (InvalidSignature, AssertionError, ValueError) as error:
        raise Fault(f"not a checkpoint of this log: {error!r}", path) from None


def path_of(level, index, width):
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    partial = "" if width == 256 else f".p/{width}"
    return f"tile/{level}/" + "/".join(["x" + group for group in groups[:-1]] + groups[-1:]) + partial


def widths(count):
    """(index, width) of the tiles that `count` hashes fill."""
    return [(n // 256, min(256, count - n)) for n in range(0, count, 256)]


class Log:
    def __init__(self, folder, size):
        self.folder, self.size = folder, size
        self.broken = []  # Faults of bundles, which only say which leaf is wrong.
        leaves = [sha256(b"\0" + leaf) for leaf in self.leaves()]
        self.levels = [leaves]  # levels[l][i]: MTH over leaves i*2^l .. (i+1)*2^l
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append([sha256(b"\1" + below[i] + below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def read(self, path, leaf):
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            raise Fault("missing", path, leaf) from None

    def leaves(self):
        for index, width in widths(self.size):
            path = path_of("entries", index, width)
            data, at = self.read(path, index * 256), 0
            for leaf in range(index * 256, index * 256 + width):
                length = int.from_bytes(data[at : at + 2], "big")
                if at + 2 + length > len(data):
                    raise Fault("ends too early", path, leaf)
                yield data[at + 2 : at + 2 + length]
                at += 2 + length
            if at != len(data):
                raise Fault("goes on after its last leaf", path)

    def root(self, size):
        """MTH(D[0:size]): the complete subtrees, joined from the right."""
        start, peaks = 0, []
        for level in range(len(self.levels) - 1, -1, -1):
            if size >> level & 1:
                peaks.append(self.levels[level][start >> level])
                start += 1 << level
        if not peaks:
            return sha256(b"")
        root = peaks.pop()
        while peaks:
            root = sha256(b"\1" + peaks.pop() + root)
        return root

    def compare_tiles(self, signed):
        """Every tile against what the leaves make of it. The leaves are right exactly if their root is signed."""
        leaves_are_right = self.root(self.size) == signed
        for level in range(0, 8):
            for index, width in widths(self.size >> 8 * level):
                path = path_of(level, index, width)
                tile = self.read(path, index << 8 * (level + 1))
                if len(tile) != 32 * width:
                    raise Fault("has a wrong length", path)
                for i in range(width):
                    at = index * 256 + i
                    if tile[32 * i : 32 * i + 32] != self.levels[8 * level][at]:
                        if level == 0 and not leaves_are_right:
                            raise Fault("a leaf was changed", path_of("entries", index, width), at)
                        raise Fault("a hash was changed", path)
        if not leaves_are_right:
            raise Fault("leaves and tiles agree, but not with the signed root", "checkpoint")


def verify(folder, vkey, notes):
    if not any(folder.glob("*")):
        return {"leaves": None, "root": None}
    size, root = checkpoint_of((folder / "checkpoint").read_bytes(), vkey, "checkpoint")
    log = Log(folder, size)
    log.compare_tiles(root)
    for path in notes:
        older, older_root = checkpoint_of(path.read_bytes(), vkey, str(path))
        if older > size:
            raise Fault(f"a note speaks of {older} leaves, and there are {size}", "checkpoint", size)
        if log.root(older) != older_root:
            raise Fault(f"a note of {older} leaves has another root", None, 0)
    return {"leaves": size, "root": root.hex()}


def main():
    try:
        told = verify(pathlib.Path(sys.argv[1]), sys.argv[2], [pathlib.Path(note) for note in sys.argv[3:]])
    except Fault as fault:
        told = fault.told
    print(json.dumps(told))
    sys.exit(1 if "fault" in told else 0)


if __name__ == "__main__":
    main()
