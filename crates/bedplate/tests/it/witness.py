"""A witness of transparency logs (C2SP tlog-witness), strict, written from the specifications alone.

Arguments: the log's verifier key, a file that keeps what it saw and its own key, a port (0 takes a free one).
Prints its own verifier key, then `listening on PORT`.
"""

import base64
import hashlib
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

LOG_KEY, STATE, PORT = sys.argv[1:]
NAME = "witness.example/w1"


class Refused(Exception):
    def __init__(self, status, text, kind="text/plain"):
        self.status, self.text, self.kind = status, text, kind


def key_id(name, typed):
    return hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]


def log_key():
    name, _, rest = LOG_KEY.partition("+")
    _, _, key = rest.partition("+")
    typed = base64.b64decode(key, validate=True)
    assert typed[0] == 1 and len(typed) == 33
    return name, key_id(name, typed), Ed25519PublicKey.from_public_bytes(typed[1:])


def load():
    if os.path.exists(STATE):
        return json.load(open(STATE))
    secret = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return {"secret": secret.hex(), "size": 0, "root": hashlib.sha256(b"").hexdigest()}


def save(state):
    with open(STATE + ".part", "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(STATE + ".part", STATE)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(old, new, old_root, new_root, proof):
    """RFC 9162, 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    proof = list(proof)
    if old & (old - 1) == 0:
        proof.insert(0, old_root)
    if not proof:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for hash in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(hash, fr), node(hash, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, hash)
        fn, sn = fn >> 1, sn >> 1
    return fr == old_root and sr == new_root and sn == 0


def number(text):
    if not text.isascii() or not text.isdigit() or (text != "0" and text[0] == "0"):
        raise Refused(400, "not a number")
    return int(text)


def checked(note):
    """The signed text, size and root of a checkpoint of the log."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise Refused(400, "not a signed note")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    name, wanted, public = log_key()
    if origin != name:
        raise Refused(404, "unknown log")
    good = False
    for line in lines[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        signer, _, raw = rest.partition(" ")
        raw = base64.b64decode(raw, validate=True)
        if dash != "\u2014":
            raise Refused(400, "not a signature line")
        if signer == name and raw[:4] == wanted:
            try:
                public.verify(raw[4:], text.encode())
            except InvalidSignature:
                raise Refused(403, "bad signature") from None
            good = True
    if not good:
        raise Refused(403, "not signed by a key that is trusted")
    return text, number(size), base64.b64decode(root, validate=True)


def cosign(text):
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(load_state["secret"]))
    public = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    now = int(time.time())
    signature = secret.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
    raw = key_id(NAME, b"\x04" + public) + now.to_bytes(8, "big") + signature
    return f"\u2014 {NAME} {base64.b64encode(raw).decode()}\n"


def added(body):
    head, gap, note = body.partition("\n\n")
    if not gap:
        raise Refused(400, "no checkpoint")
    first, *hashes = head.split("\n")
    if not first.startswith("old "):
        raise Refused(400, "no old size")
    old = number(first[4:])
    proof = [base64.b64decode(hash, validate=True) for hash in hashes]
    if len(proof) > 63 or any(len(hash) != 32 for hash in proof):
        raise Refused(400, "not a proof")
    text, size, root = checked(note)
    if old > size:
        raise Refused(400, "the old size is larger than the checkpoint's")
    state = load_state
    if old != state["size"]:
        raise Refused(409, f"{state['size']}\n", "text/x.tlog.size")
    if old == size and root.hex() != state["root"]:
        raise Refused(409, f"{state['size']}\n", "text/x.tlog.size")
    if not consistent(old, size, bytes.fromhex(state["root"]), root, proof):
        raise Refused(422, "the proof does not lead from what was seen to this")
    state.update(size=size, root=root.hex())
    save(state)
    return cosign(text)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            if self.path != "/prefix/add-checkpoint":
                raise Refused(404, "no such path")
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, text, kind = 200, added(body), "text/plain"
        except Refused as refused:
            status, text, kind = refused.status, refused.text, refused.kind
        except Exception as error:
            status, text, kind = 400, repr(error), "text/plain"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())
        print(f"answered {status}", flush=True)

    def log_message(self, *_):
        pass


load_state = load()
save(load_state)
_public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(load_state["secret"])).public_key()
_typed = b"\x04" + _public.public_bytes(Encoding.Raw, PublicFormat.Raw)
print(f"key {NAME}+{key_id(NAME, _typed).hex()}+{base64.b64encode(_typed).decode()}", flush=True)
server = HTTPServer(("127.0.0.1", int(PORT)), Handler)
print(f"listening on {server.server_address[1]}", flush=True)
server.serve_forever()
