"""Synthetic pairs to try things on, and what is in a data set before anything is trained on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from evenmatch.audits import save_report
from evenmatch.columns import Columns, tables_of, user_data
from evenmatch.frames import Frame, data_frame
from training.data.data_report import data_html, data_json
from training.data.explore import DataSummary
from training.data.explore import explore as summarise
from training.data.synthetic.bias import BiasConfig
from training.data.synthetic.generator import GeneratorConfig, generate
from training.data.user_data import load_as_it_is


@dataclass(frozen=True)
class DataExploration:
    """What is in a data set: numbers and names of groups, never a text.

    Attributes:
        summary: All of it, as in the JSON of `evenmatch-train explore`.
    """

    summary: DataSummary

    @property
    def leaks(self) -> list[str]:
        """Resumes or persons that stand in two splits, as sentences."""
        return list(self.summary.leaks)

    @property
    def warnings(self) -> list[str]:
        """What was guessed, what training refuses, and what a careful user should know, as sentences."""
        return list(self.summary.warnings)

    def splits(self) -> Any:
        """A pandas DataFrame with a row for each split: sizes, share of matches with interval, lengths."""
        return data_frame(
            [
                {
                    "split": one.name,
                    "pairs": one.pairs,
                    "jobs": one.jobs,
                    "resumes": one.resumes,
                    "match_rate": one.label.share,
                    "low": one.label.low,
                    "high": one.label.high,
                    "resume_words": one.resume_words.median,
                    "job_words": one.job_words.median,
                    "repeated_pairs": one.repeated_pairs,
                }
                for one in self.summary.splits
            ]
        )

    def groups(self) -> Any:
        """A pandas DataFrame with a row for each split, attribute and group: share of matches with interval.

        `true_match_rate` is by the labels from before a known bias, where the data has them.
        """
        return data_frame(
            [
                {
                    "split": split.name,
                    "attribute": one.attribute,
                    "group": one.group,
                    "resumes": one.resumes,
                    "pairs": one.label.n,
                    "match_rate": one.label.share,
                    "low": one.label.low,
                    "high": one.label.high,
                    "true_match_rate": None if one.true_label is None else one.true_label.share,
                }
                for split in self.summary.splits
                for one in split.groups
            ]
        )

    def redactions(self) -> Any:
        """A pandas DataFrame: how often redaction hides a category in a resume of each group, in the mean."""
        return data_frame(
            [
                {
                    "attribute": one.attribute,
                    "group": one.group,
                    "resumes": one.resumes,
                    "category": category,
                    "mean": mean,
                }
                for one in self.summary.redactions
                for category, mean in one.mean_by_category.items()
            ]
        )

    def save(self, path: str | Path) -> Path:
        """Write the report, readable by its owner only: HTML or JSON, by the ending of `path`."""
        return save_report(path, html=lambda: data_html(self.summary), json=lambda: data_json(self.summary))


def explore(frame: Frame | Mapping[str, Frame], **columns: Unpack[Columns]) -> DataExploration:
    """Summarise labelled pairs, split as a training run would split them.

    `frame` and `columns` are those of `train`. What training refuses is a warning here. Raises
    `DataFormatError` for columns and cells that are wrong; rows without a label are left out and counted.
    """
    rows = tables_of(frame)
    return DataExploration(summarise(load_as_it_is(user_data(rows, columns), rows), source="a data frame"))


def synthetic_pairs(
    *,
    train_jobs: int = 60,
    validation_jobs: int = 20,
    calibration_jobs: int = 30,
    threshold_jobs: int = 30,
    test_jobs: int = 60,
    label_bias: float = 0.0,
    wording_bias: float = 0.0,
    seed: int = 20261124,
) -> dict[str, Any]:
    """Invented resumes and jobs, made of occupations of ESCO and lists of names: a frame for each split.

    Args:
        train_jobs: Jobs of the training split, with about eight pairs each.
        validation_jobs: Of the split by which an epoch is chosen.
        calibration_jobs: Of the split for the calibration.
        threshold_jobs: Of the split for the threshold.
        test_jobs: Of the split that everything is measured on.
        label_bias: Chance that a good fit of a disadvantaged group stands as no match, in [0, 1]; the column
            `true_label` keeps the truth.
        wording_bias: Chance that a resume is worded as its group's are, in [0, 1].
        seed: Of everything.

    Returns:
        Pandas DataFrames by split with `job_id`, `title`, `job`, `resume_id`, `resume`, `label`,
        `true_label`, and the invented person's `sex`, `race_ethnicity` and `school_category`. No occupation,
        person, name or school stands in two splits. The first call of a process takes some ten seconds.
    """
    made = generate(
        GeneratorConfig(
            seed=seed,
            train_jobs=train_jobs,
            validation_jobs=validation_jobs,
            calibration_jobs=calibration_jobs,
            threshold_jobs=threshold_jobs,
            test_jobs=test_jobs,
            bias=BiasConfig(label=label_bias, wording=wording_bias),
        )
    )
    return {
        split: data_frame(
            [
                {
                    "job_id": one.job_id,
                    "title": one.title,
                    "job": one.description,
                    "resume_id": one.resume_id,
                    "resume": one.resume,
                    "label": one.label,
                    "true_label": one.true_label,
                    **one.groups,
                }
                for one in examples
            ]
        )
        for split, examples in made.items()
    }
