"""Open Badges 3.0 credentials: building, signing, publishing status, and verifying offline.

Pure: no Django, no network, no clock and no randomness of its own. Standards followed: Open Badges
3.0 (1EdTech), Verifiable Credentials 2.0, Data Integrity `eddsa-rdfc-2022`, Bitstring Status List
1.0 and did:web.
"""
