"""The transparency log: an append-only public list of everything the signer did.

Written after RFC 6962 (the tree) and the C2SP documents tlog-tiles, tlog-checkpoint, signed-note,
tlog-cosignature and tlog-proof. Nothing here knows the web site; keys, times and nonces are given.
"""
