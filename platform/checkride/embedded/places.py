"""Where the embedded parts keep their data and their sockets."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# A Unix socket's path may have 108 bytes on Linux; PostgreSQL adds `/.s.PGSQL.5432`.
LONGEST_SOCKET_FOLDER = 85


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one installation: `var` for data, `run` (short) for sockets and locks."""

    var: Path
    run: Path

    @property
    def database_data(self) -> Path:
        return self.var / "postgresql"

    @property
    def database_url(self) -> str:
        return f"postgresql://checkride@/checkride?host={self.run}"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis_socket}"

    @property
    def signer_socket(self) -> Path:
        return self.run / "signer.sock"


def places(var: str | os.PathLike[str] | None = None) -> Places:
    """The places for the data folder `var`; the default is $CHECKRIDE_VAR, else `var/`."""
    chosen = Path(var or os.environ.get("CHECKRIDE_VAR") or "var")
    folder = (ROOT / chosen).resolve()
    run = folder / "run"
    if len(str(run)) > LONGEST_SOCKET_FOLDER:
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        run = Path(tempfile.gettempdir()) / f"checkride-{os.getuid()}-{name}"
    return Places(var=folder, run=run)
