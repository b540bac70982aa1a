"""Words that tell sex, faith or a group, and firms, products and technology that hold the same words."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

REDACTOR = Redactor()


def redacted(line: str) -> str:
    output = REDACTOR.redact(normalise(f"Erin Lindholm\nerin@mail.example\n\nExperience\nAcme\n{line}")).text
    return output.removeprefix("[NAME]\n[EMAIL]\n\nExperience\nAcme\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Foreman on a building site", "Supervisor on a building site"),
        ("Postman, Royal Mail, delivered letters", "Mail carrier, Royal Mail, delivered letters"),
        ("a very friendly guy and a smart lady", "a very friendly [GENDER] and a smart [GENDER]"),
        ("Erin Holm née Ferrant", "[NAME]"),
        ("Captain, Women's Soccer", "Captain, [AFFINITY]"),
        ("NCAA Division III Men's Lacrosse", "NCAA Division III [AFFINITY]"),
        ("Boys' Varsity Tennis coach", "[AFFINITY] coach"),
        ("Varsity Golf (Women)", "Varsity [AFFINITY]"),
        ("Girl Up; Sorority treasurer; Lady Vols", "[AFFINITY]; [AFFINITY] treasurer; [AFFINITY]"),
        ("Alpha Kappa Psi; Sigma Chi; Omega Psi Phi Fraternity, Inc.", "[AFFINITY]; [AFFINITY]; [AFFINITY]"),
        ("Missionary, Church of Jesus Christ of Latter-day Saints, Lima", "[RELIGION], [RELIGION], Lima"),
        ("Bible study leader; mission trip to Peru", "[RELIGION]; [RELIGION] to Peru"),
        ("Volunteered at a local mosque; gurdwara kitchen", "Volunteered at [RELIGION]; [RELIGION] kitchen"),
        ("Sunday school teacher, St. Luke's Methodist", "[RELIGION], [RELIGION]"),
        ("As a Sikh woman in trade, LGBT network lead", "As a [RELIGION] [GENDER] in trade, [AFFINITY] lead"),
        ("a married mother of two", "[FAMILY]"),
        ("I was born in Porto in 1988 and moved", "I was [ORIGIN] and moved"),
        ("a muslim students association", "a [RELIGION]"),
        ("sang in a catholic college choir", "sang in a [RELIGION]"),
    ],
)
def test_what_tells_a_group_is_hidden(line: str, expected: str) -> None:
    assert redacted(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "REST, Postman and Newman; POSTMAN collections",
        "Provisioned hosts with Foreman and Puppet; GNU Mailman lists",
        "Claims handler, Fireman's Fund; buyer, Sportsman's Warehouse",
        "Loan officer, Mr. Cooper Group; chemist, Dr. Reddy's Laboratories; tax officer, His Majesty's Revenue and Customs",
        "Host, Madame Tussauds; engineer, Sir Robert McAlpine Ltd; fellow, She Leads Africa; Hims & Hers Health",
        "Ms Computer Science; MS Office; Ms Excel; latency of 5 ms Under load; MR Imaging; Cache Miss Rate",
        "HIS and IT systems; His-tag purification; bundle of His; HER2 and Her2 assays; He-Ne laser",
        "guy wires for towers; ladies wear; Guy Carpenter; alumni relations",
        "Mu Sigma; Delta Sigma modulator; Sigma-Delta ADC; Lean Six Sigma; Alpha Beta pruning; Kappa statistic",
        "Delta Gamma hedging; Alpha Beta Gamma radiation; beta testing",
        "Asian Development Bank; United Asian Equity Growth Fund; Black-Scholes model; Black & Veatch Foundation",
        "Pride in work; Men's Wearhouse; Boys and Girls Club; Women's Health; Islamic Finance Forum",
        "St. Mary's Hospital; Baptist Health; Houston Methodist Hospital; Lutheran Medical Center; Church & Dwight",
        "Orthodox approach; mission critical systems; our mission; temple architecture; Falls Church, VA",
    ],
)
def test_firms_products_and_technology_stay(line: str) -> None:
    assert redacted(line) == line
