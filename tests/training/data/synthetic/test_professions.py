from __future__ import annotations

from training.data.synthetic.professions import Atlas, Profession


def titled(atlas: Atlas, title: str) -> Profession:
    return next(p for p in atlas.professions if p.titles[0] == title)


def test_professions_are_many_and_each_has_something_to_tell(atlas: Atlas) -> None:
    assert len(atlas.professions) >= 1500
    assert sum(p.id.startswith("own:") for p in atlas.professions) >= 50
    assert len({p.id for p in atlas.professions}) == len(atlas.professions)
    assert len({p.family for p in atlas.professions}) >= 100
    for p in atlas.professions:
        assert p.titles, p.id
        assert len(p.activities) + len(p.achievements) >= 8, p.id
        assert p.abilities or p.knowledge, p.id


def test_skills_belong_to_their_profession(atlas: Atlas) -> None:
    said = {title: " ".join(titled(atlas, title).abilities) for title in ("accountant", "train cleaner")}
    assert "financial" in said["accountant"]
    assert "clean" in said["train cleaner"]
    assert "clean" not in said["accountant"]


def test_neighbours_are_near_but_not_the_same_job(atlas: Atlas) -> None:
    by_id = {p.id: p for p in atlas.professions}
    for p in atlas.professions:
        near = set(atlas.neighbours[p.id])
        assert p.id not in near
        assert p.id in atlas.duplicates[p.id]
        assert not near & atlas.duplicates[p.id]
    accountant = titled(atlas, "accountant")
    titles = {by_id[i].titles[0] for i in atlas.neighbours[accountant.id]}
    assert {"accounting analyst", "tax clerk"} & titles
    assert sum(bool(n) for n in atlas.neighbours.values()) >= 0.9 * len(atlas.professions)


def test_titles_say_nothing_of_seniority(atlas: Atlas) -> None:
    words = {word for p in atlas.professions for title in p.titles for word in title.split()}
    assert not words & {"senior", "junior", "trainee"}
