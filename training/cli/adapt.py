"""`evenmatch-train adapt`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from training.cli.console import exit_codes, say


def adapt(
    output: Annotated[Path, typer.Option(help="Folder to write the adapted base model to.")],
    postings: Annotated[
        Path | None, typer.Option(help="Table of postings with title and body: CSV, JSONL or Parquet.")
    ] = None,
    resumes: Annotated[Path | None, typer.Option(help="Table of resumes: CSV, JSONL or Parquet.")] = None,
    base_model: Annotated[
        str | None, typer.Option(help="pypi:<distribution>, a folder or a hub id; default: MiniLM.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a hub model.")] = None,
    pooling: Annotated[
        Literal["mean", "cls"] | None, typer.Option(help="Only for a model that does not state its own.")
    ] = None,
    title_column: Annotated[str | None, typer.Option(help="Of --postings; default: guessed.")] = None,
    job_column: Annotated[str | None, typer.Option(help="Of --postings, the body; default: guessed.")] = None,
    resume_column: Annotated[str | None, typer.Option(help="Of --resumes; default: guessed.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the texts; default: 2.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Default: 3e-4.")] = None,
    anchor: Annotated[
        float | None, typer.Option(min=0, help="Weight of the base model's neighbourhoods; default: 1.")
    ] = None,
    kept_share: Annotated[
        float | None, typer.Option(help="Share of the update that is kept, in (0, 1]; default: 1.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an adapted model.")] = False,
) -> None:
    """Adapt a base model to your own postings and resumes without labels, to train or serve from."""
    from pydantic import ValidationError

    from service.core.base_model import MINILM, describe
    from service.core.encoder import silence_transformers
    from training.adaptation.adapt import AdaptationConfig, adapt_model, check_model_place
    from training.adaptation.texts import read_postings, read_resumes

    if postings is None and resumes is None:
        raise typer.BadParameter("give --postings, --resumes or both")
    given: dict[str, Any] = {
        name: value
        for name, value in {
            "epochs": epochs,
            "learning_rate": learning_rate,
            "anchor": anchor,
            "kept_share": kept_share,
            "seed": seed,
        }.items()
        if value is not None
    }
    try:
        config = AdaptationConfig.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise typer.BadParameter(f"--{option}: {first['msg']}") from None
    silence_transformers()
    with exit_codes():
        check_model_place(output, overwrite=overwrite)
        notes: list[str] = []
        pairs = [] if postings is None else read_postings(postings, title_column, job_column, notes)
        people = [] if resumes is None else read_resumes(resumes, resume_column, notes)
        for note in notes:
            say(f"note: {note}")
        base = describe(base_model or MINILM, revision, pooling=pooling)
        before, after = adapt_model(base, pairs, people, output, config, overwrite=overwrite, say=say)
        for name, count, then, now in (
            ("titles whose own body is nearest", before.postings, before.titles_first, after.titles_first),
            (
                "resumes whose halves find each other",
                before.resumes,
                before.sections_first,
                after.sections_first,
            ),
        ):
            if then is not None and now is not None:
                say(f"held out, {name}: {then:.1%} before, {now:.1%} after (n = {count:,})")
        if after.neighbours_kept is not None:
            say(
                f"held out, nearest ten of each text that the base model had too: {after.neighbours_kept:.1%}"
            )
        say("that is no proof that it matches better: compare it on labelled pairs before you use it")
        say(f"wrote {output}; go on with base_model: {{id: {output}}}")
