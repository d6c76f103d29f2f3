"""`cifar100 record --unpack`: records from another machine, checked and merged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cifar100 import paths
from cifar100.checking import check_record
from cifar100.errors import UserError, WorkError
from cifar100.experiments import EXPERIMENTS, get
from cifar100.files import scratch_folder, write_atomically
from cifar100.packing import Files, read_pack
from cifar100.recording import claimed
from cifar100.records import REHEARSAL, Record, list_records, path_of, read

Key = tuple[str, int]  # experiment, seed
KINDS = ("cpu", "gpu")


@dataclass
class Merge:
    """What became of the records in some packs; `problems` has a line for each that
    was refused, and for each tree of experiments that was left alone."""

    merged: int = 0
    standing: int = 0
    rehearsed: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """The counts in one line."""
        parts = [f"{self.merged} records merged, {self.standing} already recorded"]
        parts += [f"{self.refused} refused"] if self.refused else []
        if self.rehearsed:
            parts.append(f"{self.rehearsed} rehearsal records, no evidence")
        return ", ".join(parts)

    def refuse(self, text: str, count: int = 1) -> None:
        """Note that `count` records are not taken."""
        self.refused += count
        self.problems.append(text)


def unpack(packs: list[Path]) -> Merge:
    """Merge the records in `packs` into the records of this home.

    A record has to pass the checks of `cifar100 check`, be of today's experiment and of
    a clean commit. Device kinds are not mixed within a tree of experiments: runs of
    another kind replace what stands only if they cover all of it. What wants a GPU
    stands outside its tree. A kill leaves each record as it was, new, or out for want
    of its JSON; the same call finishes the job.

    Raises `UserError`, with nothing merged, for a pack that is damaged.
    """
    contents = [read_pack(path) for path in packs]
    merge, seen = Merge(), set()
    trees: dict[str, dict[Key, Record]] = {}
    with scratch_folder(paths.cache(), "unpack-") as folder:
        for record in _sound(contents, folder, merge):
            key, profile = (record.experiment, record.seed), record.data["profile"]
            if (key, profile) in seen:  # a later pack brings everything again
                continue
            seen.add((key, profile))
            if profile == REHEARSAL:
                _put(record, REHEARSAL)
                merge.rehearsed += 1
            else:
                trees.setdefault(root_of(record.experiment), {})[key] = record
        for root, records in trees.items():
            _merge_tree(root, records, merge)
    return merge


def unpack_and_say(packs: list[Path]) -> None:
    """`unpack`, and print what became of it; `WorkError` where a record is refused."""
    merge = unpack(packs)
    print("\n".join([*merge.problems, merge.summary()]))
    if merge.problems:
        raise WorkError(f"{merge.refused} packed records were not merged")


def root_of(name: str) -> str:
    """The experiment that an experiment and its relatives all descend from. What wants
    a GPU is its own root: no laptop ever records it beside its relatives."""
    while (parent := EXPERIMENTS[name].parent) and not EXPERIMENTS[name].gpu:
        name = parent
    return name


def _sound(
    contents: list[dict[Key, Files]], folder: Path, merge: Merge
) -> Iterator[Record]:
    """Write the files below `folder`, a place a pack; the records that may be merged,
    those of the first pack first."""
    for number, content in enumerate(contents):
        place = folder / str(number)
        for (name, seed), files in content.items():
            path = place / name / f"seed-{seed}.json"
            for ending, data in files.items():
                write_atomically(path.with_suffix(f".{ending}"), data)
            try:
                record = read(path)
                problem = _problem(record, place)
            except UserError as error:
                problem = str(error)
            except Exception as error:  # whatever a foreign file may give rise to
                problem = f"not a record ({type(error).__name__}: {error})"
            if problem:
                problem = " ".join(problem.replace(f"{place}/", "").split())
                merge.refuse(f"{name}, seed {seed}: {problem}")
            else:
                yield record


def _problem(record: Record, place: Path) -> str | None:
    """Why a record is not merged, the first reason; None when it is sound."""
    if record.stale:
        return "stale, the experiment has other settings today"
    if record.data["clean"] is not True:
        return "made with changes that were not committed"
    if record.data["device"]["kind"] not in KINDS:
        return f"device kind {record.data['device']['kind']!r} is unknown"
    profile = REHEARSAL if record.data["profile"] == REHEARSAL else "full"
    return next(check_record(record, profile=profile, folder=place), None)


def _merge_tree(root: str, new: dict[Key, Record], merge: Merge) -> None:
    kinds = {_kind(record) for record in new.values()}
    standing = {
        (record.experiment, record.seed): _kind(record)
        for record in list_records()
        if root_of(record.experiment) == root
    }
    others = [key for key, kind in standing.items() if {kind} != kinds]
    uncovered = sum(key not in new for key in others)
    if len(kinds) > 1:
        text = f"tree of `{root}`: recorded on {' and '.join(sorted(kinds))}"
        merge.refuse(f"{text}; unpack one device kind at a time", len(new))
        return
    if uncovered:
        merge.refuse(
            f"tree of `{root}`: {uncovered} of {len(standing)} recorded runs are not "
            "in the pack; nothing replaced; unpack it again together with the rest",
            len(new),
        )
        return
    for key, record in new.items():
        if standing.get(key) in kinds:
            merge.standing += 1
            continue
        try:
            with claimed(get(record.experiment), record.seed):
                _put(record, "full")
            merge.merged += 1
        except WorkError as error:  # another process is on this run
            merge.refuse(str(error))


def _put(record: Record, profile: str) -> None:
    """Move a record to its place. What stood there is taken out first: no moment shows
    old figures beside new predictions."""
    path = path_of(get(record.experiment), record.seed, profile)
    path.unlink(missing_ok=True)
    for source in record.files():
        write_atomically(path.with_name(source.name), source.read_bytes())


def _kind(record: Record) -> str:
    return record.data["device"]["kind"]
