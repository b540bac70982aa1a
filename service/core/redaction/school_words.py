"""Words of the names of schools by what they do there: key words, words that say which kind, words that no name holds."""

from __future__ import annotations

from service.core.redaction.lexicon import words_by

_WORDS = words_by("role", "school_words.csv")


KEYWORDS = _WORDS["keyword"]
KEYWORDS_OF_EDUCATION = _WORDS["keyword_education"]
"""Key words in sections of education only."""

QUALIFIERS = _WORDS["qualifier"]
"""Words that only say which kind of school it is."""

GENERIC = _WORDS["generic"]
"""Words that name no school by themselves."""

ENDS_LIKE_SCHOOL = frozenset(
    "university college institute polytechnic academy school vidyalaya conservatory seminary gakuin institution".split()
)
"""Key words in which a cell of education can end that is a school as a whole."""

NOT_A_SCHOOL = _WORDS["not_a_school"]
"""Words before a key word that make it none: "summer school"."""

NOT_IN_NAME = _WORDS["not_in_name"]
"""Words that no name of a school holds to the left of its key word."""

NOT_BEHIND = _WORDS["not_behind"]
"""Words behind a key word that make it none: "school district"."""

FIRM = _WORDS["firm"]
"""Names before a key word that make it a firm: "Khan Academy"."""

ENDINGS = (
    "schule",
    "universitat",
    "gymnasium",
    "akademie",
    "vidyalaya",
    "vidyalay",
    "vidyalayam",
    "vidyapeetham",
    "vidyapith",
    "vidyapeeth",
    "universiteit",
    "skolan",
)
"""Words that end so are key words of languages that write them in one ("Berufsschule", "Vishwavidyalaya")."""

GROUPS = frozenset({"colleges", "institutions", "institutes", "schools"})
"""Key words behind "Group of"."""

NO_NAMES = (
    FIRM
    | NOT_A_SCHOOL
    | frozenset(
        "member captain won winner best represented certified certificate examination online experience work employment department dept lab laboratory center centre".split()
    )
)
"""Words that a school's cell does not hold."""

BOARD_WORDS = _WORDS["board"]
"""Words of the names of boards of examination."""

BOARD_NAMES = _WORDS["board_name"]
"""Boards that are known by their abbreviation."""

OPENERS = _WORDS["opener"]
"""Key words of languages in which the name stands behind them: "Colegio ..."."""

INSIDE = frozenset("de da do del della la le di du al el y e dos van der zu am e".split())
"""Small words inside a name, in other languages than English."""

BEFORE_OF = frozenset("lady sisters church daughters lord queen brothers star holy heart bank".split())
"""Words after which "of" goes on with the name: "Our Lady of Fatima"."""

OPENS_RIGHT = frozenset({"of", "for", "de", "in"})
"""Words behind a key word that open the rest of the name: "College of ..."."""

INSIDE_RIGHT = INSIDE | {"of", "and", "the", "for", "at", "in"}
"""Small words in that rest."""

SEXES = frozenset("women woman girls girl boys boy men ladies".split())
ABBREVIATED = frozenset(
    "st dr mt sr jr smt govt prof univ inst coll ft sri mrs hr sec no shri smt late engg".split()
)
"""Words that a full stop does not end a name behind."""

LAST_WORDS = frozenset(
    "high secondary mandir institution gymnasium lyceum madrasa matriculation matric state tech poly grammar hss ghss hsss public model iti".split()
)
"""They are key words only where they end the cell: "Oakmont High", "Gymnasium"."""

STUDY_FIELDS = frozenset(
    """advanced applied higher technology technologies technical science sciences management economics business design engineering
    engg art arts music medicine law nursing education public information medical mathematical social political fine film fashion
    mines agriculture commerce mathematics pharmacy dentistry journalism architecture hotel hospitality culinary communication
    communications international oriental african finance banking accountancy accounts computer computing policy health studies
    research administration relations affairs service work hygiene dental pharmaceutical mass media engineering home liberal
    humanities general professional financial secretarial kinesiology human development digital physical natural environmental
    theology divinity optometry veterinary inquiry performing visual applications biology chemistry physics psychology
    statistics electronics aeronautics aviation maritime textile""".split()
)
"""Subjects behind "of" that belong to a name: "School of Business"."""

NAMES_RIGHT = frozenset(
    "national state city university central high secondary boys girls women men s trade public private community vocational primary elementary middle local our my and school education".split()
)
"""Words that stand behind "of", though not before the key word."""

STOPS_RIGHT = frozenset(
    """alumni department dept faculty campus press hospital gpa cgpa bachelor bachelors master masters diploma degree committee
    association graduation convocation expected anticipated present current major minor certificate library""".split()
)
"""Words that end a name behind its key word."""

TRAINS = frozenset(
    "training learning study studies computer career vocational skill skills coaching educational technology technical".split()
)
"""Words before "centre" that make it a place of study: "Crown Training Centre"."""

LOOKS_LIKE_VERB = frozenset(
    "king sterling reading united sacred fielding wheeling flushing redding harding ming ning beijing nanjing spalding lansing".split()
)
"""Names that end like verbs: "Reading University"."""
