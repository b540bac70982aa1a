"""The output folder: what it was made of, which of its blocks are done, and what must not be mixed into it.

OUTPUT/results/part-000000-000000.parquet     one a block; there if and only if the block is finished
OUTPUT/errors/part-000000-000000.parquet      of blocks with faults
OUTPUT/errors/files.parquet                   files that could not be read to their end
OUTPUT/_evenmatch/manifest.json               what scores depend on, and the run's id
OUTPUT/_evenmatch/inputs.parquet              the inputs with sizes and times
OUTPUT/_evenmatch/recorded/part-...           one a block whose decisions are in the decision log
OUTPUT/_SUCCESS                               all of it is scored
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from service.core.errors import CheckpointError
from service.ray_data.blocks import Fault
from service.ray_data.inputs import InputFile, Inputs
from service.ray_data.results import errors_parquet
from service.ray_data.storage import Location

_FORMAT = 1
_PART = ".parquet"
_FILES = "files.parquet"
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier run wrote down. `parts`: what scores depend on, names to fingerprints."""

    run: str
    parts: Mapping[str, str]
    inputs: Sequence[InputFile]


class Checkpoint:
    """The output folder of a run."""

    def __init__(self, output: Location) -> None:
        self.output = output
        self._own = output / "_evenmatch"
        self.begun = self._read()

    @property
    def run(self) -> str:
        """The run's id, from which ids of decisions are made; the same when it is continued."""
        assert self.begun is not None
        return self.begun.run

    def check_folder(self, *, resume: bool) -> None:
        """Raise `CheckpointError` if something else is in the folder, or an earlier run and no `resume`."""
        if self.begun is None:
            if self.output.stat() is not None:
                raise CheckpointError(f"{self.output} is a file: a folder is needed, empty or not there yet")
            there = self.output.files()
            if there:
                raise CheckpointError(
                    f"{self.output} is not empty, and no run of Evenmatch began it: {len(there):,} files, "
                    f"{there[0].place} among them; name another folder"
                )
        elif not resume:
            done = len(self.finished())
            raise CheckpointError(
                f"{self.output} holds {done:,} finished blocks of an earlier run: add --resume (resume=True) "
                "to go on from there, or name another folder"
            )

    def check_parts(self, parts: Mapping[str, str]) -> None:
        """Raise `CheckpointError`, which names what differs, if scores would depend on something else now."""
        if self.begun is None:
            return
        differing = [name for name, value in parts.items() if self.begun.parts.get(name, value) != value]
        if differing:
            raise CheckpointError(
                f"{self.output} was begun with other inputs of the same command: {' and '.join(differing)} "
                "changed since; go on with what it was begun with, or name another folder"
            )

    def check_inputs(self, inputs: Inputs) -> tuple[Inputs, list[Fault]]:
        """The inputs as they were when the run began, and those of them that are gone.

        Raises `CheckpointError`, which names files, if one was changed or added since.
        """
        if self.begun is None:
            return inputs, []
        now = {file.source: file for file in inputs.files}
        before = {file.source: file.identity for file in self.begun.inputs}
        changed = [one for one, file in now.items() if before.get(one, file.identity) != file.identity]
        added = [one for one in now if one not in before]
        for what, names in (("changed", changed), ("added", added)):
            if names:
                more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
                raise CheckpointError(
                    f"inputs were {what} since {self.output} was begun: "
                    f"{', '.join(names[:_MOST_NAMED])}{more}; score them into another folder"
                )
        files, gone = [], []
        system = inputs.files[0].place.system
        for number, earlier in enumerate(self.begun.inputs):
            file = now.get(earlier.source)
            if file is not None:
                files.append(replace(file, number=number))
            elif inputs.of_tables:
                gone.append(
                    Fault(earlier.source, None, None, "not_found", f"{earlier.source} is not there any more")
                )
            else:  # it keeps its place: blocks are cut from the list of documents
                files.append(replace(earlier, place=replace(earlier.place, system=system)))
        return Inputs(files, inputs.of_tables), gone

    def begin(self, parts: Mapping[str, str], about: Mapping[str, Any], inputs: Inputs) -> None:
        """Write down what the run is made of, unless an earlier one did."""
        for folder in ("results", "errors"):
            (self.output / folder).make_folder()
        (self._own / "recorded").make_folder()
        if self.begun is not None:
            return
        run = str(uuid.uuid4())
        (self._own / "inputs.parquet").write(_inputs_parquet(inputs.files))
        manifest = {
            "format": _FORMAT,
            "run": run,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "parts": dict(parts),
            "about": dict(about),
        }
        # Last: what is without it was not begun.
        (self._own / "manifest.json").write((json.dumps(manifest, indent=1) + "\n").encode())
        self.begun = Begun(run, dict(parts), inputs.files)

    def finished(self) -> set[str]:
        """Names of the blocks that are scored and written."""
        return _stems(self.output / "results")

    def recorded(self) -> set[str]:
        """Names of the blocks whose decisions are in the decision log."""
        return {one.place.path.rpartition("/")[2] for one in (self._own / "recorded").files()}

    def mark_recorded(self, block: str) -> None:
        """Remember that a block's decisions are in the decision log."""
        (self._own / "recorded" / block).write(b"")

    def results_of(self, block: str) -> Location:
        """The file of a block's scores."""
        return self.output / "results" / f"{block}{_PART}"

    def write_block(self, block: str, results: bytes, errors: bytes | None) -> None:
        """Write a block: its errors, and then its results, which make it a finished one."""
        if errors is not None:
            (self.output / "errors" / f"{block}{_PART}").write(errors)
        self.results_of(block).write(results)

    def end(self, faults: Sequence[Fault]) -> None:
        """Keep what is wrong with whole files; without such a fault the output is complete."""
        if faults:
            (self.output / "errors" / _FILES).write(errors_parquet(faults))
        else:
            (self.output / "errors" / _FILES).delete()
            (self.output / "_SUCCESS").write(b"")

    def reopen(self) -> None:
        """Nothing is complete until the end."""
        (self.output / "_SUCCESS").delete()

    def faults(self) -> list[Fault]:
        """All that is in `errors/`, of this run and those before it, by file and line."""
        import pyarrow
        import pyarrow.parquet

        found: list[Fault] = []
        for one in (self.output / "errors").files():
            if one.place.suffix != _PART:
                continue
            data = one.place.read()
            if data is not None:
                table = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
                found += [Fault(**record) for record in table.to_pylist()]
        return sorted(found, key=lambda one: (one.file, one.line or 0))

    def _read(self) -> Begun | None:
        import pyarrow
        import pyarrow.parquet

        data = (self._own / "manifest.json").read()
        if data is None:
            return None
        try:
            manifest = json.loads(data)
            if manifest["format"] != _FORMAT:
                raise CheckpointError(
                    f"{self.output} was begun by another version of Evenmatch: its format is "
                    f"{manifest['format']}, {_FORMAT} is read here"
                )
            inputs = (self._own / "inputs.parquet").read()
            if inputs is None:
                raise CheckpointError(f"{self._own}/inputs.parquet is missing: name another folder")
            table = pyarrow.parquet.read_table(pyarrow.BufferReader(inputs))
            files = [
                InputFile(
                    number, Location(None, row["path"], row["file"]), row["size"], row["modified"], row["id"]
                )
                for number, row in enumerate(table.to_pylist())
            ]
            return Begun(manifest["run"], manifest["parts"], files)
        except (ValueError, KeyError, TypeError, pyarrow.ArrowException) as error:
            raise CheckpointError(
                f"{self._own}/manifest.json is damaged ({type(error).__name__}): name another folder"
            ) from None


def _stems(folder: Location) -> set[str]:
    names = (one.place.path.rpartition("/")[2] for one in folder.files())
    return {name.removesuffix(_PART) for name in names if name.startswith("part-") and name.endswith(_PART)}


def _inputs_parquet(files: Sequence[InputFile]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    names = ("file", "path", "size", "modified", "id")
    schema = pyarrow.schema([(one, "int64" if one in ("size", "modified") else "string") for one in names])
    rows = [
        dict(zip(names, (one.source, one.place.path, one.size, one.modified, one.id), strict=True))
        for one in files
    ]
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())
