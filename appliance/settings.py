"""Every option of the appliance as data: name, default and help.

A value is looked for on the command line, then in the environment (``PIXELQUEUE_`` and the
upper-case name), then in the TOML file, then in the default here. No other module reads the
environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from appliance.errors import UnknownSetting

__all__ = ["HELP", "Door", "Settings", "load"]

_PREFIX = "PIXELQUEUE_"
_MiB = 1024 * 1024
_GiB = 1024 * _MiB
Door = Literal["open", "invite", "closed"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the composition root is built from. The help of each field is its annotation."""

    data: Annotated[str, "folder that holds everything the appliance keeps"] = "data"
    host: Annotated[str, "address to listen on; anything but loopback speaks TLS"] = "127.0.0.1"
    port: Annotated[int, "port to listen on; 0 picks a free one"] = 8000
    hosts: Annotated[list[str], "further host names browsers may use (Host allow-list)"] = []
    trust_port: Annotated[
        int, "plain HTTP port that only explains how to trust the box and leads to TLS; 0 for none"
    ] = 0
    tls_cert: Annotated[str, "the site's own certificate chain (PEM), in place of one of the box's authority"] = ""
    tls_key: Annotated[str, "the key of tls_cert (PEM, no passphrase)"] = ""
    plain_http: Annotated[bool, "speak plain HTTP on a LAN address too (browsers then withhold features)"] = False
    device: Annotated[str, "where models run: auto, cpu or cuda:0"] = "auto"
    backend: Annotated[str, "runtime for models: auto, tensorrt, onnxruntime, fake"] = "auto"
    precision: Annotated[str, "of TensorRT's engines: fp16 or fp32"] = "fp16"
    tensorrt_python: Annotated[str, "Python that has TensorRT, where this one has not, such as /usr/bin/python3"] = ""
    tensorrt_workspace_bytes: Annotated[int, "GPU memory TensorRT may use while it builds an engine"] = 2 * _GiB
    engine_memory_bytes: Annotated[int, "GPU memory for loaded models; those not in use go first"] = 4 * _GiB
    registration: Annotated[
        Door, "who may make an account, until the page System says otherwise: open, invite, closed"
    ] = "invite"
    readers: Annotated[int, "reading database connections"] = 4
    image_children: Annotated[int, "child processes that decode incoming pictures; 0 means one per core"] = 0
    max_pixels: Annotated[int, "largest picture taken in, in pixels"] = 400_000_000
    max_upload_bytes: Annotated[int, "largest single upload"] = 4 * _GiB
    max_unfinished_uploads: Annotated[int, "uploads one person may have begun and not finished"] = 200
    upload_keep_s: Annotated[int, "seconds an upload is kept after its last byte, finished or not"] = 3 * 24 * 3600
    max_json_bytes: Annotated[int, "largest JSON body"] = 16 * _MiB
    max_model_bytes: Annotated[int, "largest model file taken in"] = 512 * _MiB
    convert_python: Annotated[str, "interpreter that converts checkpoints, if not our own"] = ""
    convert_memory_bytes: Annotated[int, "address space the conversion of a checkpoint may use"] = 16 * _GiB
    convert_s: Annotated[int, "seconds the conversion of a checkpoint may take"] = 1800
    free_floor_bytes: Annotated[int, "free disk space below which pictures are refused"] = 512 * _MiB
    reserve_bytes: Annotated[int, "emergency file given back when the disk is full"] = 32 * _MiB
    cache_bytes: Annotated[int, "budget of the cache folder (thumbnails, renditions, tiles)"] = 8 * _GiB
    blob_grace_s: Annotated[int, "seconds an unreferenced blob is kept"] = 24 * 3600
    scrub_every_s: Annotated[int, "seconds after which all stored files are read and checked again; 0 for never"] = (
        30 * 24 * 3600
    )
    event_retention: Annotated[int, "events kept for clients that reconnect"] = 200_000
    session_idle_s: Annotated[int, "seconds after which an unused session ends"] = 12 * 3600
    session_max_s: Annotated[int, "seconds after which any session ends"] = 30 * 24 * 3600
    lease_s: Annotated[int, "seconds a taken task stays with its annotator without a sign of life"] = 15 * 60
    argon2_memory_kib: Annotated[int, "memory of one password hash in KiB"] = 64 * 1024
    argon2_time: Annotated[int, "passes of one password hash"] = 3
    argon2_lanes: Annotated[int, "lanes of one password hash"] = 4
    log_level: Annotated[str, "debug, info, warning or error"] = "info"


HELP: dict[str, str] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}


def load(
    flags: Mapping[str, Any] | None = None,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Put the settings together: flag over environment over TOML file over default.

    Raises:
        UnknownSetting: A name that does not exist or a value that does not parse.
    """
    merged: dict[str, Any] = {}
    merged.update(_from_file(file) if file else {})
    merged.update(_from_environment(os.environ if environment is None else environment))
    merged.update({k: v for k, v in (flags or {}).items() if v is not None})
    for name in merged:
        if name not in HELP:
            raise UnknownSetting(f"there is no setting {name!r}; `pixelqueue serve --help` lists them", field=name)
    try:
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise UnknownSetting(f"a setting does not parse: {error}") from error


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnknownSetting(f"{file} cannot be read as TOML: {error}", file=str(file)) from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, raw in environment.items():
        if variable.startswith(_PREFIX):
            name = variable.removeprefix(_PREFIX).lower()
            found[name] = raw.split(",") if name == "hosts" else raw
    return found
