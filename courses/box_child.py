"""The process inside the box: reads requests from a pipe, grades, writes replies.

Started by `courses.box` with an empty environment. It imports the grading code, grades a few
requests so that everything it will ever need is in memory, and then gives up, for good, whatever a
grader does not need: the network, writing, new processes, other people's files, more memory.
After that it takes its first real submission. It is run as a script, so it imports nothing of ours
before the search path is set.

Messages are JSON behind four bytes of length, big-endian, on file descriptors given as arguments.
The first one says what to load, what to warm up with and what may be read.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform as machine
import resource
import struct
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

Json = Any

EXTRA_MEMORY_BYTES = 768 * 1024 * 1024
LIFETIME_CPU_S = 900
OPEN_FILES = 16

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_CLONE_THREAD = 0x00010000

# Numbers of system calls per machine: (x86_64, aarch64); None where the call does not exist.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206),
    "sendmsg": (46, 211), "io_uring_setup": (425, 425),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "mount": (165, 40), "umount2": (166, 39),
    "setns": (308, 268), "unshare": (272, 97), "chroot": (161, 51), "bpf": (321, 280),
    "perf_event_open": (298, 241), "keyctl": (250, 219), "init_module": (175, 105),
    "kexec_load": (246, 104), "reboot": (169, 142), "setuid": (105, 146), "setgid": (106, 144),
    "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None), "renameat2": (316, 276),
    "mkdir": (83, None), "mkdirat": (258, 34), "chmod": (90, None), "fchmodat": (268, 53),
    "chown": (92, None), "fchownat": (260, 54), "truncate": (76, 45), "symlinkat": (266, 36),
    "linkat": (265, 37), "mknodat": (259, 33), "memfd_create": (319, 279), "shmget": (29, 194),
}  # fmt: skip
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_EPERM, _ENOSYS = 1, 38


def main(arguments: Sequence[str]) -> None:
    requests = os.fdopen(int(arguments[0]), "rb", buffering=0)
    replies = os.fdopen(int(arguments[1]), "wb", buffering=0)
    settings = _read(requests)
    if settings is None:
        return  # whoever started this is gone
    sys.path[:0] = settings["paths"]
    try:
        # One thread: results do not depend on the number of cores, and a namespace can be left.
        os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
        libc = ctypes.CDLL(None, use_errno=True)
        network = _leave_network(libc)
        engine = import_module(settings["engine"])
        grade, read = _engine(engine)
        for data in settings["warm"]:
            _answer(grade, read, {"op": "grade", "request": data})
            _answer(grade, read, {"op": "read", "request": data})
        protections = {"network": network, **_give_up(libc, settings["readable"])}
    except BaseException:
        _write(replies, {"ok": False, "trace": traceback.format_exc()[-4000:]})
        raise
    _write(replies, {"ok": True, "value": protections})
    while True:
        message = _read(requests)
        if message is None:
            return
        _write(replies, _answer(grade, read, message))


def _engine(engine: Any) -> tuple[Callable[[Json], Json], Callable[[Json], Json]]:
    """The two functions of an engine, from JSON to JSON."""
    contract = import_module("courses.grading.contract")

    def grade(data: Json) -> Json:
        return contract.report_to_json(engine.grade(contract.request_from_json(data)))

    def read(data: Json) -> Json:
        return engine.read_submission(contract.request_from_json(data))

    return grade, read


def _answer(
    grade: Callable[[Json], Json], read: Callable[[Json], Json], message: Json
) -> dict[str, Json]:
    try:
        work = grade if message["op"] == "grade" else read
        return {"ok": True, "value": work(message["request"])}
    except MemoryError:
        return {"ok": False, "memory": True, "trace": ""}
    except Exception as problem:
        sentence = getattr(problem, "message", "")
        return {
            "ok": False,
            "code": getattr(problem, "code", "") if sentence else "",
            "sentence": sentence if isinstance(sentence, str) else "",
            "trace": traceback.format_exc()[-4000:],
        }


def _read(stream: Any) -> Json:
    head = _exactly(stream, 4)
    if head is None:
        return None
    body = _exactly(stream, struct.unpack(">I", head)[0])
    return None if body is None else json.loads(body)


def _exactly(stream: Any, size: int) -> bytes | None:
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(stream: Any, value: Json) -> None:
    body = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    data = memoryview(struct.pack(">I", len(body)) + body)
    while data:
        data = data[stream.write(data) :]


# Giving things up ------------------------------------------------------------------------------


def _leave_network(libc: ctypes.CDLL) -> bool:
    """Move to a network of our own, where nothing is; False where the system does not let us."""
    spaces = _CLONE_NEWNET | _CLONE_NEWIPC
    left: bool = libc.unshare(spaces) == 0 or libc.unshare(_CLONE_NEWUSER | spaces) == 0
    return left


def _give_up(libc: ctypes.CDLL, readable: Sequence[str]) -> dict[str, bool]:
    """Drop every right that grading does not need; what could be dropped is in the result.

    Where the system cannot limit which files are read, no file can be opened at all any more.
    """
    done = {"privileges": libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0}
    highest, memory = _highest_fd(), _virtual_memory_bytes()  # before /proc is out of sight
    done["files"] = done["privileges"] and _landlock(libc, readable)
    if not done["files"]:
        highest = _use_up_descriptors(highest)
    _limits(memory, open_files=highest + (OPEN_FILES if done["files"] else 1))
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    done["capabilities"] = _drop_capabilities(libc)
    done["calls"] = done["privileges"] and _seccomp(libc)
    return done


def _drop_capabilities(libc: ctypes.CDLL) -> bool:
    """Also the root user is then only a user."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    done: bool = libc.capset(ctypes.byref(header), ctypes.byref(nothing)) == 0
    return done


def _limits(memory: int, *, open_files: int) -> None:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(spent.ru_utime + spent.ru_stime) + LIFETIME_CPU_S
    for what, value in (
        (resource.RLIMIT_AS, memory + EXTRA_MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(what, (value, value))


def _virtual_memory_bytes() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - no imports beyond what is needed
        return int(file.read().split()[0]) * resource.getpagesize()


def _highest_fd() -> int:
    return max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208


def _use_up_descriptors(highest: int) -> int:
    """Fill every free number up to `highest`, so that a limit there leaves none to open."""
    while (descriptor := os.dup(0)) < highest:
        pass
    os.close(descriptor)
    return descriptor - 1


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _landlock(libc: ctypes.CDLL, readable: Sequence[str]) -> bool:
    """Let files be read under `readable` and nowhere else, and none be written (Linux 5.13).

    Source: Linux kernel documentation, userspace-api/landlock.
    """
    version = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    # Bits 0 to 12 are all file rights of version 1; 13 (refer), 14 (truncate), 15 (ioctl) came later.
    rights = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    handled = ctypes.c_uint64(rights)
    ruleset = libc.syscall(444, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    read_file, read_folder = 1 << 2, 1 << 3
    for path in readable:
        try:
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rule = _PathBeneath(read_file | read_folder, parent)
        added = libc.syscall(445, ruleset, 1, ctypes.byref(rule), 0)
        os.close(parent)
        if added != 0:
            return False
    restricted: bool = libc.syscall(446, ruleset, 0) == 0
    os.close(ruleset)
    return restricted


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jt", ctypes.c_ubyte),
        ("jf", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def _seccomp(libc: ctypes.CDLL) -> bool:
    """Refuse the system calls in `_CALLS`, and new processes but not new threads.

    Source: Linux kernel documentation, userspace-api/seccomp_filter.
    """
    kinds = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
    if machine.machine() not in kinds or sys.byteorder != "little":
        return False
    column, architecture = kinds[machine.machine()]
    load, equal, bits, answer = 0x20, 0x15, 0x45, 0x06
    allow, refuse, missing = 0x7FFF0000, 0x00050000 | _EPERM, 0x00050000 | _ENOSYS
    kill = 0x80000000
    rows: list[tuple[int, int, int, int]] = [
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, architecture),
        (answer, 0, 0, kill),
        (load, 0, 0, 0),  # the number of the call
    ]
    if column == 0:
        rows += [(bits, 0, 1, 0x40000000), (answer, 0, 0, kill)]  # the x32 numbering
    for numbers in _CALLS.values():
        number = numbers[column]
        if number is not None:
            rows += [(equal, 0, 1, number), (answer, 0, 0, refuse)]
    # clone3 hides its flags behind a pointer; without it the C library uses clone.
    rows += [(equal, 0, 1, _CLONE3[column]), (answer, 0, 0, missing)]
    rows += [
        (equal, 0, 3, _CLONE[column]),
        (load, 0, 0, 16),  # its flags
        (bits, 1, 0, _CLONE_THREAD),
        (answer, 0, 0, refuse),
        (answer, 0, 0, allow),
    ]
    table = (_Instruction * len(rows))(*(_Instruction(*row) for row in rows))
    program = _Program(len(rows), table)
    done: bool = libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) == 0
    return done


if __name__ == "__main__":
    main(sys.argv[1:])
