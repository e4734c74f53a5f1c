"""A file of the hub on this disk: through `huggingface_hub`, and into its cache, where every other
program finds it.

The library gives names, tokens, addresses and the transfer; what it does not do is done here.
Since 2.0 it begins anew when it was ended in the midst of a file: so what has come is kept in a
file of our own, under the name of what it is to be. And it compares no checksum. Only when this
fits does the file get its place in the cache.
"""

import hashlib
import importlib
import io
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from qcode.protocol.errors import (
    BadAnswer,
    ConfigError,
    CredentialsRefused,
    InputError,
    QcodeError,
    ServerGone,
)
from qcode.protocol.text import one_line
from qcode.serve.hubfiles import HubFile, listed, plain, size
from qcode.serve.partial import Counted, alone, length, sha256_of
from qcode.serve.ways import Told as WayTold
from qcode.serve.ways import Ways

SPARE_BYTES = 512 << 20
"""Of the disk, that stay free."""
_PIECE_BYTES = 8 << 20

Told = Callable[[int, int], None]
"""(bytes that are there, bytes of the whole)."""


class Listing(msgspec.Struct, frozen=True):
    """A repository as it is now."""

    repo: str
    revision: str
    """As it was asked for: `main`."""
    commit: str
    files: tuple[HubFile, ...]


class Hub:
    """The hub that `HF_ENDPOINT` names. Everything here connects to it, and only to it and to the
    public hosts that it sends one to."""

    def __init__(self, told: WayTold = lambda way: None) -> None:
        """`told` hears of each host before it is connected to, see `ways`. Raises ConfigError: the
        library is missing, or told to stay offline."""
        self._library = _library()
        self._constants = _part_of("constants")
        if self._constants.is_offline_mode():
            raise ConfigError(
                "HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it, or put the file here "
                "yourself and name its path."
            )
        _check_address(str(self._constants.ENDPOINT))
        self._ways = Ways(str(self._constants.ENDPOINT), told)
        self._library.set_client_factory(self._client)

    def _client(self) -> Any:
        """As the library makes it, and each request is told."""
        client = importlib.import_module("huggingface_hub.utils._http").default_client_factory()
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "request": [*hooks["request"], self._ways.asked]}
        return client

    @property
    def host(self) -> str:
        """Of the hub, for people."""
        return urlsplit(str(self._constants.ENDPOINT)).netloc

    @property
    def cache(self) -> Path:
        """Where its files lie."""
        return Path(self._constants.HF_HUB_CACHE)

    def listing(self, repo: str, revision: str = "main") -> Listing:
        """What a repository holds. Raises QcodeError."""
        with self._told(repo):
            told = self._library.HfApi().model_info(repo, revision=revision, files_metadata=True)
        files = tuple(
            listed(one.rfilename, one.size or 0, (one.lfs.sha256 if one.lfs else "") or "")
            for one in told.siblings or ()
        )
        return Listing(repo, revision, told.sha or "", files)

    def dates(self, listing: Listing, files: Sequence[HubFile]) -> dict[str, str]:
        """When each was last changed: `2026-03-05`. What is not told is left out. Raises
        QcodeError."""
        names = [file.name for file in files]
        with self._told(listing.repo):
            rows = self._library.HfApi().get_paths_info(
                listing.repo, names, revision=listing.commit, expand=True
            )
        return {
            row.path: row.last_commit.date.date().isoformat() for row in rows if row.last_commit
        }

    def has(self, listing: Listing, file: HubFile) -> bool:
        """Whether it is on this disk already, whole."""
        found = self._library.try_to_load_from_cache(
            listing.repo, file.name, revision=listing.commit
        )
        return isinstance(found, str) and Path(found).stat().st_size == file.size_bytes

    def missing_bytes(self, listing: Listing, file: HubFile) -> int:
        """What would still have to come."""
        if self.has(listing, file):
            return 0
        part = self._part(listing, file)
        return file.size_bytes - min(length(part), file.size_bytes)

    def check_room(self, listing: Listing, files: tuple[HubFile, ...]) -> None:
        """Raises InputError where the disk has no room for them."""
        needed = sum(self.missing_bytes(listing, one) for one in files)
        place = next(path for path in (self.cache, *self.cache.parents) if path.exists())
        free = shutil.disk_usage(place).free
        if needed and needed + SPARE_BYTES > free:
            raise InputError(
                f"{place} has {size(free)} free, and {size(needed)} are to come. Free some space, "
                "or set HF_HOME to a folder on another disk."
            )

    def fetch(self, listing: Listing, file: HubFile, told: Told) -> Path:
        """The file in the cache, after its checksum was found right. What has come stays when this
        ends early, and the next call goes on there. Raises QcodeError."""
        with self._told(listing.repo):
            blob = None if self.has(listing, file) else self._bring(listing, file, told)
            found: str = self._library.hf_hub_download(
                listing.repo, file.name, revision=listing.revision
            )
            if blob is not None:
                self._check_place(Path(found), blob, file)
        return Path(found)

    def _check_place(self, found: Path, blob: Path, file: HubFile) -> None:
        """The library asks the hub once more, and fetches by itself what is another file now."""
        if found.resolve() == blob.resolve() or not file.sha256:
            return
        if sha256_of(found) != file.sha256:
            raise BadAnswer(f"{file.name} has changed on {self.host} meanwhile. Try once more.")

    def _bring(self, listing: Listing, file: HubFile, told: Told) -> Path:
        url = self._library.hf_hub_url(listing.repo, file.name, revision=listing.commit)
        meta = self._library.get_hf_file_metadata(url)
        if not meta.etag or meta.location is None:
            raise BadAnswer(f"{self.host} does not say what {file.name} is: nothing was fetched.")
        blob = self._folder(listing) / "blobs" / plain(meta.etag)
        if not blob.exists():
            part = self._part(listing, file)
            part.parent.mkdir(parents=True, exist_ok=True)
            with alone(part) as out:
                self._transfer(out, meta.location, url, file, told)
            self._check(part, file)
            part.replace(blob)
        return blob

    def _transfer(
        self, out: io.BufferedWriter, location: str, url: str, file: HubFile, told: Told
    ) -> None:
        if file.size_bytes > self._constants.MAX_HTTP_DOWNLOAD_SIZE:
            raise InputError(
                f"{file.name} is {size(file.size_bytes)} in one piece, which the hub sends to its "
                "own program alone. Fetch it with that: hf download"
            )
        there = out.tell()
        if there > file.size_bytes:
            out.truncate(there := 0)
        self._ways.ahead(location)
        told(there, file.size_bytes)
        # whoever keeps the bytes for the hub gets no token of the person's
        own = urlsplit(location).netloc == urlsplit(url).netloc
        headers = _part_of("utils").build_hf_headers(token=None if own else False)
        counted = Counted(out, lambda count: told(count, file.size_bytes))
        _part_of("file_download").http_get(
            location,
            counted,
            resume_size=there,
            headers=headers,
            expected_size=file.size_bytes,
            displayed_filename=file.name,
        )

    def _check(self, part: Path, file: HubFile) -> None:
        if not file.sha256 or sha256_of(part) == file.sha256:
            return
        part.unlink()
        raise BadAnswer(
            f"{file.name} came with another checksum than {self.host} says it has: it was deleted. "
            "Try once more; if it happens again, something on the way changes files."
        )

    def _folder(self, listing: Listing) -> Path:
        return self._of(listing.repo)

    def _of(self, repo: str) -> Path:
        return self.cache / f"models--{repo.replace('/', '--')}"

    def _kept(self, repo: str) -> str:
        """What to do after it was interrupted."""
        parts = (self._of(repo) / "blobs").glob("*.qcode.incomplete")
        if any(map(length, parts)):
            return "What has come is kept: the same command goes on there."
        return "Nothing has come; the same command tries again."

    def _part(self, listing: Listing, file: HubFile) -> Path:
        """By its content: whatever the hub calls it by now, it is the same file."""
        name = file.sha256 or hashlib.sha256(f"{listing.commit} {file.name}".encode()).hexdigest()
        return self._folder(listing) / "blobs" / f"{name}.qcode.incomplete"

    @contextmanager
    def _told(self, repo: str) -> Iterator[None]:
        """Errors as sentences, connections judged."""
        try:
            with self._ways.watched():
                yield
        except QcodeError:
            raise
        except Exception as error:  # the library raises many kinds; each becomes a sentence
            raise self._sentence(repo, error) from error

    def _sentence(self, repo: str, error: Exception) -> QcodeError:
        errors = _part_of("errors")
        if isinstance(error, errors.GatedRepoError):
            return CredentialsRefused(
                f"{repo} asks for consent. Give it at {self._constants.ENDPOINT}/{repo}, "
                "then set HF_TOKEN, or log in: hf auth login."
            )
        if isinstance(error, errors.RepositoryNotFoundError):
            return InputError(
                f"{self.host} has no {repo}, or shows it only to those whom it knows (HF_TOKEN)."
            )
        if isinstance(error, errors.EntryNotFoundError | errors.RevisionNotFoundError):
            return InputError(f"{repo} has no such file or revision any more. Try once more.")
        if _is_nameless(error):
            return ServerGone(
                f"The address of {self.host} cannot be found: there seems to be no internet here, "
                f"or no name server. {self._kept(repo)}"
            )
        said = one_line(str(error).strip() or type(error).__name__, 200)
        if isinstance(error, errors.HfHubHTTPError):
            return BadAnswer(f"{self.host} refuses: {said}")
        if isinstance(error, OSError) and error.strerror:
            return InputError(f"{error.filename or self.cache}: {error.strerror}.")
        return ServerGone(f"{self.host} cannot be reached ({said.rstrip('.')}). {self._kept(repo)}")


def _check_address(endpoint: str) -> None:
    """Raises ConfigError for what is no address of a hub."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"HF_ENDPOINT is {one_line(endpoint, 80)!r}, which is no address of a hub. Write it "
            "whole, such as https://hub.example.com, or unset it."
        )


def _is_nameless(error: BaseException | None) -> bool:
    """Whether a name that nobody resolved is behind it."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False


def _library() -> Any:
    """Silent: what there is to say is said by whoever asked. Raises ConfigError."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ["HF_HUB_DISABLE_XET"] = "1"  # it connects by itself: nobody would see where to
    try:
        library = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ConfigError(
            "qcode models pull needs huggingface_hub. Install it: pip install 'qcode[local]'"
        ) from error
    utils = _part_of("utils")
    utils.disable_progress_bars()
    utils.logging.set_verbosity_error()
    return library


def _part_of(name: str) -> Any:
    """A module of the library: an extra, so it may be there or not when types are checked."""
    return importlib.import_module(f"huggingface_hub.{name}")
