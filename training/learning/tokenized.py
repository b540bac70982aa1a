"""Labelled pairs as token ids, tokenized once, and counterfactual variants of a resume, drawn on demand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from service.core.base_model import BaseModel
from service.core.bundle import Bundle
from service.core.counterfactual.lexicons import GroupLexicon
from service.core.counterfactual.names import NameSlots, PersonName, find_name_slots
from service.core.documents import Document
from service.core.matching import Matcher
from service.core.redaction.redactor import Redactor
from service.core.tokenization import Passage, TextTokenizer, TokenIds
from training.data.example import Example
from training.data.synthetic.filler import generic_duty, soft_skill
from training.learning.families import families_of
from training.learning.losses import UNKNOWN

Texts = tuple[TokenIds, ...]

VERSIONS = 3
"""How many a resume has in `PairTokenizer.versions`: as it is, and twice with filler."""

PARAPHRASES = 2
"""How many a career has: the resume as it is, and the same career in other words."""

_SPLICES = ("{name} {text}", "{name}, {text}", "Name: {name} {text}", "{text} {name}")


@dataclass(frozen=True, slots=True)
class JobTokens:
    """A job's passages and title. `key` names what it looks for: jobs of one key share their matches.

    So do those of one `family`, if the user's data name one.
    """

    id: str
    key: str
    title: TokenIds | None
    passages: Texts
    family: str | None = None


@dataclass(frozen=True, slots=True)
class ResumeTokens:
    """A resume's redacted passages, its unredacted text, and where its name stands.

    `redacted_texts`: what the passages of `redacted` say. `paraphrase`: the passages of the same career in
    other words, redacted; none if there are no other words.
    """

    id: str
    key: str
    redacted: Texts
    redacted_texts: tuple[str, ...]
    paraphrase: Texts
    document: Document
    slots: NameSlots
    groups: dict[str, str]


@dataclass(frozen=True)
class TokenizedPairs:
    """All jobs and resumes of a split, and the labels of the pairs (job number, resume number)."""

    jobs: list[JobTokens]
    resumes: list[ResumeTokens]
    labels: dict[tuple[int, int], int]
    by_job: dict[int, list[int]] = field(default_factory=dict)
    families: list[int] = field(default_factory=list)
    """Of each job (`families_of`)."""
    fits: dict[int, set[int]] = field(default_factory=dict)
    """By resume, families of the jobs that it may fit, as far as the labels say so."""

    def label(self, job: int, resume: int) -> int:
        """What the data says of a pair, or follows from it: 0 only where nothing speaks for a match."""
        known = self.labels.get((job, resume))
        if known is not None:
            return known
        same = self.resumes[resume].key == self.jobs[job].key
        return UNKNOWN if same or self.families[job] in self.fits.get(resume, ()) else 0

    def is_negative(self, job: int, resume: int) -> bool:
        """Whether nobody labelled the pair, and nothing speaks for a match."""
        return (job, resume) not in self.labels and self.label(job, resume) == 0

    def groups(self) -> dict[str, list[str]]:
        """Attribute to its groups, both sorted."""
        found: dict[str, set[str]] = {}
        for resume in self.resumes:
            for attribute, group in resume.groups.items():
                found.setdefault(attribute, set()).add(group)
        return {attribute: sorted(names) for attribute, names in sorted(found.items())}


class PairTokenizer:
    """Reads and cuts texts as the service would: by the candidate bundle's own `Matcher`."""

    @classmethod
    def of(cls, bundle: Bundle, base: BaseModel) -> PairTokenizer:
        """The tokenizer of a bundle that stands on `base`."""
        tokenizer = TextTokenizer.load(base.tokenizer_file, bundle.manifest)
        return cls(Matcher(bundle, tokenizer), tokenizer)

    def __init__(self, matcher: Matcher, tokenizer: TextTokenizer) -> None:
        self._matcher = matcher
        self._tokenizer = tokenizer
        # Finds where names stand, whatever categories the bundle's policy hides.
        self._redactor = Redactor()
        self._numbers: dict[int, int] = {}

    def tokenize(self, examples: Sequence[Example], *, potential_unknown: bool = False) -> TokenizedPairs:
        """Each job and resume once. Raises an `InputError` that names the id if a text is unusable.

        A person's resumes share their id and a job its postings', so texts tell them apart.
        `potential_unknown`: potential fits get no label. They look much like good ones, and to push them
        away would push away what they share.
        """
        jobs: dict[tuple[str, str | None, str], int] = {}
        resumes: dict[tuple[str, str], int] = {}
        pairs = TokenizedPairs([], [], {})
        for example in examples:
            job = jobs.setdefault((example.job_id, example.title, example.description), len(jobs))
            if job == len(pairs.jobs):
                pairs.jobs.append(self._job(example))
            resume = resumes.setdefault((example.resume_id, example.resume), len(resumes))
            if resume == len(pairs.resumes):
                pairs.resumes.append(self._resume(example))
            unknown = potential_unknown and example.grade == 1
            pairs.labels[job, resume] = UNKNOWN if unknown else example.label
            pairs.by_job.setdefault(job, []).append(resume)
        names = [[("key", one.key), *([("family", one.family)] if one.family else [])] for one in pairs.jobs]
        pairs.families.extend(families_of([one.passages for one in pairs.jobs], names))
        for (job, resume), label in pairs.labels.items():
            if label != 0:
                pairs.fits.setdefault(resume, set()).add(pairs.families[job])
        return pairs

    def variants(
        self, resume: ResumeTokens, lexicon: GroupLexicon, rng: random.Random, *, spliced: bool = False
    ) -> list[tuple[str, Texts]]:
        """The resume under one name of each race x sex group: (group, passages), in the lexicon's order.

        `spliced`: the redacted text with the name in one of its passages, the same for every group, as
        resumes have it that run name and text together. Else the name stands where it stood.
        """
        if not spliced:
            return [(group, self.named(resume, group, lexicon, rng)) for group in lexicon.name_groups]
        place, form = rng.randrange(len(resume.redacted)), rng.choice(_SPLICES)
        names = [(group, _drawn(group, lexicon, rng)) for group in lexicon.name_groups]
        texts = [
            form.format(name=f"{name.given} {name.surname}", text=resume.redacted_texts[place])
            for _, name in names
        ]
        return [
            (group, (*resume.redacted[:place], ids, *resume.redacted[place + 1 :]))
            for (group, _), ids in zip(names, self._tokenizer.encode_all(texts, "resume"), strict=True)
        ]

    def named(self, resume: ResumeTokens, group: str, lexicon: GroupLexicon, rng: random.Random) -> Texts:
        """The resume, not redacted, under a name drawn from `group` ("white:female")."""
        text = resume.slots.with_name(_drawn(group, lexicon, rng))
        return self._passages(replace(resume.document, text=text), resume.id)

    def versions(self, resume: ResumeTokens, rng: random.Random) -> tuple[Texts, ...]:
        """The redacted resume as it is, then with sentences put in that say nothing about the occupation."""
        return (resume.redacted, *(self._with_filler(resume, rng) for _ in range(VERSIONS - 1)))

    def _with_filler(self, resume: ResumeTokens, rng: random.Random) -> Texts:
        count = rng.randint(1, 2 + len(resume.redacted) // 3)
        texts = [
            ". ".join(rng.choice((soft_skill, generic_duty))(rng) for _ in range(rng.randint(1, 2)))
            for _ in range(count)
        ]
        return (*resume.redacted, *self._tokenizer.encode_all(texts, "resume"))

    def _job(self, example: Example) -> JobTokens:
        tokens = self._matcher.tokenize_job(
            example.description,
            example.title,
            field=f"job {example.job_id}",
            title_field=f"title of job {example.job_id}",
        )
        return JobTokens(
            id=example.job_id,
            key=example.job_occupation or f"job {example.job_id}",
            title=tokens.title,
            passages=tuple(passage.ids for passage in tokens.passages),
            family=example.job_family,
        )

    def _resume(self, example: Example) -> ResumeTokens:
        field = f"resume {example.resume_id}"
        document, redacted = self._redacted(example.resume, field)
        return ResumeTokens(
            id=example.resume_id,
            key=example.occupation or f"resume {example.resume_id}",  # ids of both may be 1, 2, 3
            redacted=self._kept(redacted),
            redacted_texts=tuple(passage.text for passage in redacted),
            paraphrase=self._paraphrase(example, field),
            document=document,
            slots=find_name_slots(document.text, self._redactor.analyse(document.text)),
            groups=dict(example.groups),
        )

    def _redacted(self, text: str, field: str) -> tuple[Document, list[Passage]]:
        """The text normalised, and the passages of what redaction leaves of it."""
        read = self._matcher.read(text, field=field, categories=self._matcher.redactor.categories)
        assert read.redacted is not None  # categories were given
        if read.document.non_latin_script:
            # Raises if most of it is unknown to the tokenizer, as the service does: training reads it
            # unredacted too.
            self._tokenizer.encode_passages(read.document, "resume", field=field)
        left = replace(read.document, text=read.redacted.text)
        return read.document, self._tokenizer.encode_passages(left, "resume", field=field)

    def _paraphrase(self, example: Example, field: str) -> Texts:
        if example.paraphrase is None:
            return ()
        return self._kept(self._redacted(example.paraphrase, field)[1])

    def _kept(self, passages: Sequence[Passage]) -> Texts:
        """Token ids to be kept for the whole run: equal numbers are one object, a fifth of the memory."""
        known = self._numbers
        return tuple(tuple(known.setdefault(n, n) for n in passage.ids) for passage in passages)

    def _passages(self, document: Document, resume_id: str) -> Texts:
        passages = self._tokenizer.encode_passages(document, "resume", field=f"resume {resume_id}")
        return tuple(passage.ids for passage in passages)


def _drawn(group: str, lexicon: GroupLexicon, rng: random.Random) -> PersonName:
    race = group.split(":")[0]
    return PersonName(rng.choice(lexicon.given_names[group]), rng.choice(lexicon.surnames[race]))
