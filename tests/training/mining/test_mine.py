from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.core.bundle import Bundle
from service.core.engines.loading import LoadedModel
from service.core.files import sha256_file
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer
from tests.support.fakes import FakeEngine
from tests.training.data.user_tables import write_csv, write_jsonl, write_parquet
from training.cli import app
from training.data.example import DataError
from training.evaluation.external.given_table import Findings, GivenTable
from training.mining import mine as mining
from training.mining.mine import MiningInputs, MiningOptions, manifest_of, mine_pairs
from training.mining.pool import MiningColumns

WORDS = ["ward", "patient", "surgical", "nurse", "care", "team", "python", "java", "backend", "database"]
RNG = random.Random(4)
POOL: list[dict[str, Any]] = [
    {"candidate_id": f"c{i:02}", "resume": " ".join(RNG.choices(WORDS, k=12))} for i in range(40)
]
MATCH = (
    "registered nurse of the surgical ward cares for every patient of the team by day and by night since 2019"
)
POOL[7]["resume"] = MATCH
POOL[8]["resume"] = MATCH.replace("2019", "2020")
POOL[9]["resume"] = POOL[10]["resume"]
POSTINGS: list[dict[str, Any]] = [
    {"job_id": "j1", "title": "nurse", "description": "registered nurse for the surgical ward team"},
    {"job_id": "j2", "title": None, "description": "python backend service and database"},
]
LABELLED: list[dict[str, Any]] = [
    {"job_id": "j1", "job": POSTINGS[0]["description"], "resume": MATCH, "label": 1},
    {"job_id": "j2", "job": "another spelling", "resume": POOL[20]["resume"], "label": 0},
    {"job_id": "j9", "job": "a posting of elsewhere", "resume": "somebody", "label": 1},
]

Mine = Callable[..., tuple[list[dict[str, Any]], list[str]]]


@pytest.fixture
def tokenizer(tiny_bundle: Bundle) -> TextTokenizer:
    folder = Path(tiny_bundle.manifest.base_model.id)
    return TextTokenizer.load(folder / "tokenizer.json", tiny_bundle.manifest)


@pytest.fixture
def mine(tiny_bundle: Bundle, tokenizer: TextTokenizer, tmp_path: Path) -> Mine:
    postings = write_csv(tmp_path / "postings.csv", POSTINGS)
    labelled = write_csv(tmp_path / "labelled.csv", LABELLED)

    def run(
        *pool: Path, output: str = "pairs.jsonl", **options: Any
    ) -> tuple[list[dict[str, Any]], list[str]]:
        said: list[str] = []
        count = mine_pairs(
            tiny_bundle.path,
            MiningInputs(postings, pool, labelled),
            tmp_path / output,
            columns=MiningColumns(),
            options=MiningOptions(**{"each": 5, **options}),
            load=lambda _: LoadedModel(FakeEngine(), tokenizer),
            say=said.append,
            progress=lambda _: None,
        )
        rows = [json.loads(line) for line in (tmp_path / output).read_text("utf-8").splitlines()]
        assert len(rows) == count
        return rows, said

    return run


def test_it_is_what_scoring_all_in_memory_gives_whatever_the_block(
    mine: Mine, tiny_bundle: Bundle, tokenizer: TextTokenizer, tmp_path: Path
) -> None:
    whole = write_csv(tmp_path / "pool.csv", POOL)
    rows, said = mine(whole)
    matcher, engine = Matcher(tiny_bundle, tokenizer), FakeEngine()
    for posting in POSTINGS:
        job = matcher.tokenize_job(str(posting["description"]), posting["title"])
        scores = {}
        for one in POOL:
            resume = matcher.tokenize_resume(one["resume"])
            score = matcher.raw_score(job, engine.embed(job.texts), engine.embed(resume.texts))
            scores[one["candidate_id"]] = score
        out = {"c07", "c08"} if posting["job_id"] == "j1" else {"c20"}
        out.add("c10")  # the text of c09
        expected = sorted((-score, id) for id, score in scores.items() if id not in out)[:5]
        found = [row for row in rows if row["job_id"] == posting["job_id"]]
        assert [(-row["raw_score"], row["resume_id"]) for row in found] == expected
        assert [row["rank"] for row in found] == [1, 2, 3, 4, 5]
    texts = {one["candidate_id"]: one["resume"] for one in POOL}
    assert all(row["resume"] == texts[row["resume_id"]] for row in rows)
    assert {(row["label"], row["mined_negative"]) for row in rows} == {(0, True)}
    assert "note: 1 of 3 labelled pairs are of postings that do not stand in" in "\n".join(said)
    for block in (1, 7, 40):
        assert mine(whole, output=f"{block}.jsonl", block=block)[0] == rows
    halves = [
        write_parquet(tmp_path / "a.parquet", POOL[20:]),
        write_jsonl(tmp_path / "b.jsonl", POOL[:20]),
    ]
    assert mine(*halves, output="halves.jsonl")[0] == rows
    skipped, _ = mine(whole, output="skipped.jsonl", each=3, skip=2)
    assert [row["resume_id"] for row in skipped] == [row["resume_id"] for row in rows if row["rank"] > 2]


def test_the_manifest_says_what_it_was_made_of_and_nothing_of_anybody(
    mine: Mine, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    rows, _ = mine(write_csv(tmp_path / "pool.csv", POOL))
    output = tmp_path / "pairs.jsonl"
    text = manifest_of(output).read_text("utf-8")
    found = json.loads(text)
    assert found["bundle"]["digest"] == tiny_bundle.digest
    assert found["output"]["sha256"] == sha256_file(output)
    assert found["inputs"]["resumes"] == [{"file": "pool.csv", "sha256": sha256_file(tmp_path / "pool.csv")}]
    counts = found["counts"]
    assert (counts["postings"], counts["resumes"], counts["pairs"]) == (2, 40, len(rows))
    assert (counts["labelled_pairs"], counts["labelled_matches"]) == (3, 2)
    assert not any(one["resume"] in text for one in POOL)
    for file in (output, manifest_of(output)):
        assert file.stat().st_mode & 0o077 == 0


def test_bad_rows_are_named_and_the_rest_goes_on(mine: Mine, tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", POOL)
    lines = pool.read_text("utf-8").splitlines()
    lines[2], lines[4], lines[6] = "{broken", '{"candidate_id": "c04", "resume": " "}', '{"candidate_id": 1}'
    pool.write_text("\n".join(lines), "utf-8")
    rows, said = mine(pool, each=37)
    told = "\n".join(said)
    assert "3 rows are left out" in told
    assert "line 3: not JSON" in told
    assert "line 5: column `resume` is empty" in told
    assert "line 7: " in told
    assert not {"c02", "c04", "c06"} & {row["resume_id"] for row in rows}
    assert not any(one["resume"] in told for one in POOL)
    assert "2 of 2 postings have fewer than 37 candidates" in told


def test_memory_holds_a_block_of_the_pool_and_not_the_pool(
    mine: Mine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", POOL)
    read, ahead, blocks = GivenTable.read, [0], []

    def counted(self: GivenTable, columns: list[str], findings: Findings) -> Any:
        for row in read(self, columns, findings):
            ahead[0] += self.name == str(pool)
            yield row

    score = mining._Miner._score_block

    def scored(self: Any, block: Any) -> None:
        blocks.append((len(block), ahead[0]))
        ahead[0] = 0
        score(self, block)

    monkeypatch.setattr(GivenTable, "read", counted)
    monkeypatch.setattr(mining._Miner, "_score_block", scored)
    mine(pool, block=16)
    assert [size for size, _ in blocks] == [16, 16, 8]
    assert all(rows == size for size, rows in blocks)  # nothing is read before it is scored


def test_what_is_in_the_way_or_wrong_is_said_before_anything_is_read(mine: Mine, tmp_path: Path) -> None:
    pool = write_csv(tmp_path / "pool.csv", POOL)
    (tmp_path / "pairs.jsonl").write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        mine(pool)
    assert (tmp_path / "pairs.jsonl").read_text() == "mine"
    with pytest.raises(DataError, match=r"call the output \.jsonl"):
        mine(pool, output="pairs.csv")
    with pytest.raises(DataError, match="is an input"):
        mine(write_jsonl(tmp_path / "pool.jsonl", POOL), output="pool.jsonl", overwrite=True)
    with pytest.raises(DataError, match="each is 0; 1 is the least"):
        mine(pool, each=0)
    with pytest.raises(DataError, match="no column looks like --resume-column; it has a, b"):
        mine(write_csv(tmp_path / "other.csv", [{"a": 1, "b": 2}]), output="other.jsonl")


def test_the_command_mines_with_a_real_model(tiny_bundle: Bundle, tmp_path: Path) -> None:
    arguments = {
        "--postings": write_csv(tmp_path / "postings.csv", POSTINGS),
        "--resumes": write_csv(tmp_path / "pool.csv", POOL[:6]),
        "--labelled": write_csv(tmp_path / "labelled.csv", LABELLED),
        "--bundle": tiny_bundle.path,
        "--output": tmp_path / "pairs.jsonl",
        "--each": 2,
    }
    done = CliRunner().invoke(app, ["mine", *[str(word) for pair in arguments.items() for word in pair]])
    assert done.exit_code == 0, done.output
    assert "pairs.jsonl (4 pairs)" in done.stderr.replace("\n", " ")
    assert "holds text of resumes" in done.stderr.replace("\n", " ")
    assert not any(one["resume"] in done.output for one in POOL)
