"""One file that holds a backup: a tar, compressed by gzip, and encrypted for age on wish.

``tar xzf`` opens it, after ``age -d`` where it is encrypted. It is written and read as a stream, so
memory does not grow with it.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

import pyrage

MAGIC: Final = b"age-encryption.org/v1"
_LEVEL: Final = 4
"""Of gzip: half the time of the usual 6 for a few percent more."""
_BLOCK: Final = 1024 * 1024
_MODE: Final = 0o600


class ArchiveBroken(Exception):
    """The file is cut, damaged, or no backup at all."""

    def __init__(self, path: Path, why: str = "tệp bị cắt hoặc hỏng") -> None:
        super().__init__(f"{path.name}: {why}. Đề nghị dùng bản sao lưu khác.")


class KeyNeeded(Exception):
    """The backup is encrypted, and no key that was given opens it."""

    def __init__(self, path: Path, *, given: bool) -> None:
        why = "khóa đưa vào không mở được" if given else "đã mã hóa, cần tệp khóa riêng"
        super().__init__(
            f"{path.name}: {why}; thêm --key TỆP-KHÓA, tệp có dòng AGE-SECRET-KEY-1… "
            "của người giữ khóa."
        )


class _Counted(io.RawIOBase):
    """A file to write into that knows its size and digest, and the first thing that went wrong."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest = file, hashlib.sha256()
        self.size, self.error = 0, None  # type: tuple[int, OSError | None]

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        block = bytes(data)
        try:
            self._file.write(block)
        except OSError as error:
            self.error = self.error or error
            raise
        self._digest.update(block)
        self.size += len(block)
        return len(block)

    @property
    def sha256(self) -> str:
        """Of all that was written, in hexadecimal."""
        return self._digest.hexdigest()


class Writer:
    """Puts members into an archive, one after the other; see :func:`writing`."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add_text(self, name: str, content: str) -> None:
        """A small text."""
        data = content.encode()
        self._add(name, len(data), io.BytesIO(data))

    def add_file(self, name: str, path: Path) -> tuple[int, str]:
        """A file; its size in bytes and its SHA-256, read as they went in.

        Raises:
            OSError: it cannot be read, or grew shorter meanwhile.
        """
        with path.open("rb") as file:
            digested = _Digesting(file)
            size = os.fstat(file.fileno()).st_size
            self._add(name, size, digested)
        return size, digested.sha256

    def _add(self, name: str, size: int, content: Any) -> None:
        about = tarfile.TarInfo(name)
        about.size, about.mode = size, _MODE
        self._tar.addfile(about, content)


class _Digesting:
    """A file to read from that knows the digest of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._digest.update(block)
        return block

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class Written:
    """What became of an archive: its size in bytes and its SHA-256, known once it is closed."""

    size: int = 0
    sha256: str = ""


@contextlib.contextmanager
def writing(
    path: Path, recipients: Sequence[pyrage.x25519.Recipient] = ()
) -> Iterator[tuple[Writer, Written]]:
    """Make the archive ``path``; it is whole and on the disk when this ends without an error.

    Raises:
        OSError: the disk is full or fails; whoever calls removes what is there.
    """
    told = Written()
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(number, "wb") as file:
        sink = _Counted(file)
        with (
            _encrypted(sink, recipients) as plain,
            gzip.GzipFile("", "wb", _LEVEL, plain, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            yield Writer(tar), told
        file.flush()
        os.fsync(file.fileno())
    told.size, told.sha256 = sink.size, sink.sha256


@contextlib.contextmanager
def _encrypted(
    sink: _Counted, recipients: Sequence[pyrage.x25519.Recipient]
) -> Iterator[IO[bytes]]:
    """Where plain bytes go in; a thread of its own encrypts them, for the library wants to read."""
    if not recipients:
        yield sink  # type: ignore[misc]
        return
    reading_end, writing_end = os.pipe()
    thread = _Thread(
        lambda source: pyrage.encrypt_io(source, sink, list(recipients)), reading_end, "rb"
    )
    target = os.fdopen(writing_end, "wb", buffering=_BLOCK)
    try:
        yield target
        target.close()
    except BrokenPipeError:  # the thread ended: what it met is the cause
        failed = thread.ended()
        raise sink.error or failed or OSError("the encryption ended early") from None
    finally:
        with contextlib.suppress(OSError):
            target.close()
        failed = thread.ended()
    if failed is not None:
        raise sink.error or failed


class _Thread:
    """Work at one end of a pipe, which is closed when the work ends; its error is kept."""

    def __init__(self, work: Callable[[IO[bytes]], None], end: int, mode: str) -> None:
        self._error: BaseException | None = None

        def run() -> None:
            try:
                with os.fdopen(end, mode) as file:
                    work(file)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                self._error = error

        self._thread = threading.Thread(target=run, name="age", daemon=True)
        self._thread.start()

    def ended(self) -> BaseException | None:
        """Wait for the end; what went wrong."""
        self._thread.join()
        return self._error


class Member:
    """A member of an archive that is being read: its name, its size, and its bytes once."""

    def __init__(self, name: str, size: int, file: IO[bytes]) -> None:
        self.name, self.size, self.file = name, size, file

    def text(self, most: int = 256 * _BLOCK) -> str:
        """The whole of it, where it is no larger than ``most`` bytes."""
        if self.size > most:
            raise tarfile.ReadError(f"{self.name} is too large")
        return self.file.read().decode()

    def copy_to(self, out: IO[bytes] | None) -> str:
        """Copy it into ``out`` (None: nowhere); the SHA-256 of what was read."""
        digest = hashlib.sha256()
        while block := self.file.read(_BLOCK):
            digest.update(block)
            if out is not None:
                out.write(block)
        return digest.hexdigest()


def is_encrypted(path: Path) -> bool:
    """Whether a key is needed to read the archive."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@contextlib.contextmanager
def reading(
    path: Path, identities: Sequence[pyrage.x25519.Identity] = ()
) -> Iterator[Iterator[Member]]:
    """The members of an archive in their order, each to be read before the next is asked for.

    Raises:
        ArchiveBroken: it is cut, damaged or none of ours.
        KeyNeeded: it is encrypted for other keys.
        OSError: it cannot be read.
    """
    with contextlib.ExitStack() as held:
        raw: IO[bytes] = held.enter_context(path.open("rb"))
        thread: _Thread | None = None
        if is_encrypted(path):
            if not identities:
                raise KeyNeeded(path, given=False)
            thread, raw = _decrypted(raw, identities)
            held.callback(thread.ended)
            held.callback(raw.close)
        try:
            yield _members(raw)
        except (EOFError, tarfile.TarError, gzip.BadGzipFile, zlib.error) as error:
            raw.close()
            failed = None if thread is None else thread.ended()
            if isinstance(failed, pyrage.DecryptError) and "matching" in str(failed):
                raise KeyNeeded(path, given=True) from None
            raise ArchiveBroken(path) from (failed or error)


def _decrypted(
    raw: IO[bytes], identities: Sequence[pyrage.x25519.Identity]
) -> tuple[_Thread, IO[bytes]]:
    reading_end, writing_end = os.pipe()
    thread = _Thread(
        lambda target: pyrage.decrypt_io(raw, target, list(identities)), writing_end, "wb"
    )
    return thread, os.fdopen(reading_end, "rb", buffering=_BLOCK)


def _members(raw: IO[bytes]) -> Iterator[Member]:
    with gzip.GzipFile(fileobj=raw, mode="rb") as packed:
        with tarfile.open(fileobj=packed, mode="r|") as tar:
            for about in tar:
                file = tar.extractfile(about) if about.isfile() else None
                if file is None:
                    raise tarfile.ReadError(f"{about.name} is no plain file")
                yield Member(about.name, about.size, file)
        while packed.read(_BLOCK):  # up to the end, where gzip compares its sum
            pass
