"""The detectors that need nothing but a line or a paragraph, each behind its gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from service.core.redaction import contact, personal, schools
from service.core.redaction.gates import Clues, Gate, gate
from service.core.redaction.spans import Span

Find = Callable[[str], Iterator[Span]]

_GREEK = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi
chi psi omega"""

_JOINED_EAD = [joined for mark in "'’‘`´" for joined in (f"{mark}ead", f"ead{mark}")]
"""Where the visa's name is no word of its own. Not "ead" alone: it stands in "lead", "head", "read"."""

LINE_DETECTORS: tuple[tuple[Gate, Find], ...] = (
    (gate(parts=("@", "at]", "at)", "at }", "at}", "at ]", "at )")), contact.find_emails),
    (gate(parts=("/", "www.")), contact.find_links),
    (gate(parts="0123456789"), contact.find_phones),
    (gate(parts="0123456789"), contact.find_postcodes),
    (
        gate("""street st avenue ave road rd boulevard blvd pool ln drive dr court ct way place pl terrace ter square sq crescent
             cres close parkway pkwy highway hwy circle cir trail trl row mews grove gardens loop path pike plaza alley walk hill
             quay broadway expressway turnpike crossing ridge nagar marg colony layout enclave sector"""),
        contact.find_streets,
    ),
    (
        gate("av avenida avenue boulevard via viale calle carrera rua rue travessa ul ulica piazza plaza strada jalan jl paseo camino "
             "corso place chemin impasse allee quai",
             ("straße", "strasse", "str.", "weg ", "gasse ", "platz ", "allee ", "ring ", "damm ", "ufer ", "laan ", "straat ",
              "gracht ", "gatan ", "vägen ", "vej ", "gade ", "gata ", "veien ", "katu ", "tie ")),
        contact.find_european_streets,
    ),
    (gate("zip postal post pin postcode pincode plz cep cp eircode zipcode"), contact.find_named_postcodes),
    (gate("she he her him his hers himself herself they xe ze pronouns"), personal.find_pronouns),
    (
        gate("""mrs mr ms mx miss mister madam sir messrs senora senor senorita srta herr frau mme mlle monsieur madame shri
             smt kumari gender sex geschlecht sexo sexe genere man woman lady gentleman male female girl boy"""),
        personal.find_titles,
    ),
    (gate(" ".join(word for word in personal.OCCUPATIONS if " " not in word), ("cleaning lady",)), personal.find_occupations),
)  # fmt: skip
"""What never goes over the end of a line."""

PARAGRAPH_DETECTORS: tuple[tuple[Gate, Find], ...] = (
    (
        gate(parts=("photo", "![", "<img", "picture", "headshot", "portrait", "avatar", "selfie", "includegraphics",
                    "figcaption", "profile", "alt", "image")),
        contact.find_photos,
    ),
    (
        gate(parts=("graduat", "class of", "alum", "passing year", "year of", "convocation", "matriculat")),
        schools.find_graduation_years,
    ),
    (gate(parts=("19", "20")), schools.find_years_beside_schools),
    (gate(parts=("based in", "resid", "living in", "lives in")), contact.find_residence),
    (
        gate("children kids dependents dependants kinder married divorced widowed engaged separated mother father mum mom "
             "mummy dad daddy parent grandmother grandfather housewife househusband homemaker my loving supportive leave break",
             ("marital", "civil", "family status", "familienstand", "estado", "état", "etat", "situation", "stato")),
        personal.find_family,
    ),
    (
        gate("dob d age alter edad eta idade aged old born b birth birthday birthdate ne nee nato nata",
             ("birth", "geburts", "geboren", "nacimiento", "naissance", "nascita", "nascimento", "age:", "âge", "età", "né",
              "出生", "生年", "(*")),
        personal.find_age,
    ),
    (
        gate("race caste tribe visa ead opt cpt daca born raised hail hails hailing native national nationality h1b",
             ("citizen", "ethnic", "birth", "country of origin", "hometown", "home town", "visa", "authori", "immigra",
              "emigrat", "residen", "passport", "state of origin", "staatsang", "national", "nacional", "nazional",
              "cittadin", "geburtsort", "lugar de", "lieu de", "green card", "naturali", "sponsor", "permit", "settled",
              "indefinite", "eligible", "originally", "refugee", "grew up", "descent", "origin", "heritage", "expat",
              "国籍", "民族", "籍贯", *_JOINED_EAD)),
        personal.find_origin,
    ),
    (
        gate("""religion faith denomination konfession religione religiao christian catholic protestant evangelical baptist
             methodist lutheran presbyterian pentecostal mormon orthodox muslim sunni shia islam jew jewish hindu hinduism sikh
             buddhist jain atheist agnostic pagan zoroastrian christianity buddhism judaism church mosque masjid synagogue
             gurdwara mandir parish cathedral congregation""",
             ("religio", "religi", "jehovah", "saint", "bahá", "baha")),
        personal.find_religion,
    ),
    (
        gate(_GREEK + """ women woman womens womans girls girl ladies lady men mens boys boy black blacks african hispanic hispanics
             aapi pacific native indigenous american muslim muslims jewish christian catholic hindu sikh islamic gay lesbian
             lesbians queer queers pride mothers moms fathers dads caribbean student students cultural community diaspora
             heritage professional professionals engineers lawyers nurses youth pyladies ostem nsbe shpe ncwit alpfa naba aises
             prospanica mecha naacp hillel chabad hbcu hbcus""",
             ("afro", "latin", "chican", "asian", "lgbt", "sororit", "fraternit", "grace hopper", "anitab", "rewriting the",
              "out in tech", "code2040", "divine nine", "scout", "girl guide", "management leadership", "posse ", "gates mill",
              "urban league", "la raza", "unidosus", "campus ", "knights of", "junior league", "rosie the", "historically",
              "jack and jill", "daughters of", "tribal", "lean in", "wom")),
        personal.find_affinity,
    ),
)  # fmt: skip
"""What a broken line may cut in two: phrases."""

SCHOOL_GATE = gate(
    "ku tu fh eth rwth htw haw uc ut suny cuny csu iit iim nit iiit bits nus unc unsw uw umass um utm uitm kit hec ie ufr ies",
    ("univ", "üniv", "uniw", "colleg", "collèg", "coleg", "institut", "instytut", "school", "academ", "akadem", "polyt",
     "polit", "conserv", "semin", "hochschule", "egyetem", "hogeschool", "vidya", "yliopisto", "ülikool", "gymnas", "gimn",
     "gakuin", "daigaku", "lyc", "lice", "école", "ecole", "escuela", "escola", "faculdade", "facult", "faculty", "kolegium",
     "sekolah", "istituto", "sveu", "大学", "学院", "學院", "大學", "中学", "学校", "高校", "대학", "학교", "университет",
     "институт", "академия", "мгу", "спбгу", "мгту", "вшэ", "мфти", "politéc"),
)  # fmt: skip


def in_line(text: str, clues: Clues) -> Iterator[Span]:
    """What every detector of lines finds whose gate opens."""
    for one, find in LINE_DETECTORS:
        if one.opens(clues):
            yield from find(text)


def in_paragraph(text: str, clues: Clues) -> Iterator[Span]:
    """What every detector of paragraphs finds whose gate opens."""
    for one, find in PARAGRAPH_DETECTORS:
        if one.opens(clues):
            yield from find(text)
