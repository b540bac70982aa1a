"""Words that a person's name does not hold, and words that show that one follows."""

from __future__ import annotations

import re

ROLE_WORDS = frozenset(
    """account accountant accountants accounting actor admin administration administrative administrator advisor adviser
    agent aide ambassador analyst analytics apprentice architect artist assistant associate attorney auditor author
    automation bachelor backend banker barista bartender bookkeeper broker business buyer candidate caregiver carer cashier
    ceo certified cfo chair chairperson chemist chief civil cleaner clerk clinical coach coder college commercial
    communications company conductor consultant consulting contact content contractor controller coo coordinator copywriter
    corporate counsel counselor cto curriculum customer cv data database degree dentist department deputy design designer
    details developer development devops digital director dispatcher doctor economist editor education educator electrician
    email employer employment engineer engineering entrepreneur estimator executive experience expert facilities facilitator
    finance financial firefighter founder freelance frontend fullstack general government graduate graphic guard head
    healthcare helper hr human hygienist industrial information inspector institute instructor intern international internship
    interpreter interviewer investor invoice journalist judge junior laborer lawyer lead leader lecturer librarian licensed
    linkedin logistics machine machinist maintenance management manager manufacturing marketing master mechanic mechanical
    medical merchandiser mobile name nurse nursing nutritionist objective office officer operations operator organizer owner
    page painter paralegal paramedic partner personal pharmacist phd phone photo photographer physician physicist physiotherapist
    pilot planner planning plumber portfolio practitioner president principal procurement producer product professional
    professor profile programmer programming project promoter psychologist public publications purchasing quality realtor
    receptionist recruiter recruitment reference references registered relations representative reporter research
    researcher resources resume retail review reviewer sales scheduler scholar school science scientist scrum secretary section
    security senior server service services skills social software solutions specialist staff statement strategist strategy
    student summary superintendent supervisor supply support surgeon surveyor sustainability system systems
    teacher teaching team technical technician technologist technology telephone therapist trainee trainer training
    translator treasurer tutor typist undergraduate underwriter university ux ui vice vitae volunteer waiter
    warehouse web welder worker writer resumé résumé lebenslauf bewerbung currículum currículo
    about achievements activities address affiliations awards background career certifications communication competencies
    courses declaration expertise highlights hobbies honors interests languages links memberships overview page pager
    qualifications strengths tools volunteering january february march april june july august september october november
    december monday tuesday wednesday thursday friday saturday sunday present current remote hybrid male female years
    ag se nv bv spa oy ab co inc llc ltd gmbh corp corporation plc pvt limited group holdings partners associates bank hospital clinic center centre
    foundation ministry council agency bureau airport hotel restaurant store stores industries enterprises labs laboratory
    consultancy ventures capital insurance airlines motors pharma pharmaceuticals foods energy systems networks media
    state city county district region street avenue road north south east west""".split()
)
"""Folded words of job titles, headings and organisations. A phrase that holds one is no name."""

CREDENTIALS = frozenset(
    """phd mba md rn bsn msn lpn cna cpa cfa pmp esq dds dvm jd llm llb pe pa np dnp cissp cisa cism aicp aia rd ot otr
    pt dpt lcsw lmft msw bsc msc ba ma bs ms beng meng mph edd mfa shrm phr sphr cipd acca aca cima ceng pgce eit pharmd
    psyd facs frcs mbbs ccna csm togaf itil six sigma leed ap cfp cma crna fnp aprn ccrn cen mem""".split()
)

GENERATIONS = frozenset({"jr", "sr", "ii", "iii", "iv"})

PARTICLES = frozenset(
    """de da do dos das del della di du van von der den ter ten la le las los bin binti ibn al el ul ur y e bint abu ap af
    zu zum dela st san santa mac mc o d dal degli af av ben bar e i im die ui ni nic mag und an t het en""".split()
)

LEADING_PARTICLES = PARTICLES - {
    "e",
    "i",
    "y",
    "o",
    "an",
    "und",
    "die",
    "el",
    "im",
    "en",
    "san",
    "santa",
    "mc",
    "d",
}
"""Those that belong to the surname after them wherever it stands: "de la Cruz"."""

_APOS = "['’]"
HONORIFIC = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Mister|Dr|Doctor|Prof|Professor|Rev|Reverend|Fr|Hon|Capt|Col|Sgt|Lt|Maj|Señora|Señor|Sra|Herr|"
    r"Frau|Mme|Mlle|Monsieur|Madame|Shri|Smt|Engr|Alhaji|Pastor|Imam|Rabbi|Sheikh|MR|MRS|MS|DR|PROF)\b\.?\s+(?=[^\W\d_a-z])"
)
INTRODUCTION = re.compile(
    rf"\b(?:[Mm]y name is|[Ii] am called|[Nn]ame is|[Mm]e llamo|[Jj]e m{_APOS}appelle|[Ii]ch heiße|[Mm]i chiamo)\s+"
    rf"|(?:^|\W)(?:[Hh]i|[Hh]ello|[Hh]ey)[,!.]*\s+(?:I am|I{_APOS}m|my name is)\s+"
    rf"|\b(?:I am|I{_APOS}m|This is)\s+(?=[A-ZÀ-Þ][\w'’-]+\s+[A-ZÀ-Þ])",
)
RELATION = re.compile(
    r"\b(?:report(?:ed|ing|s)?(?: directly)? to|supervised by|(?:under )?(?:the )?(?:supervision|guidance|mentorship|leadership|"
    r"direction|tutelage) of|mentored by|managed by|advised by|recommended by|referred by|trained by|taught by|endorsed by|"
    r"nominated by|son of|daughter of|wife of|husband of|married to|assistant to|thesis (?:advisor|supervisor)|"
    r"co-?authored with|co-?founded with|in collaboration with|together with)\s*:?\s+",
    re.IGNORECASE,
)
COMPANION = re.compile(
    r"\b(?:work(?:ed|ing)?(?: closely| alongside| directly)? (?:with|for|under|alongside)|led by|headed by|joined by|thanks to|"
    r"(?:co-?)?founded by|interviewed|hired by)\s+"
)
LABEL = re.compile(
    r"(?:^|(?<=[|•;,{(\[\n<>\"'*]))[\s\"'*_•\-–>]{0,200}+(?:(?:full|first|last|given|family|middle|maiden|legal|preferred|candidate(?:['’]s)?|"
    r"applicant(?:['’]s)?|employee|father(?:['’]s)?|mother(?:['’]s)?|spouse(?:['’]s)?|husband(?:['’]s)?|wife(?:['’]s)?|guardian(?:['’]s)?|"
    r"nick|contact|student|author)\s*)?"
    r"(?:name|surname|firstname|lastname|fullname|forename|nickname|nombre(?: completo)?|apellidos?|nom|prénom|prenom|vorname|nachname|"
    r"familienname|cognome|nome(?: completo)?|sobrenome|naam|voornaam|achternaam|imię|nazwisko|imię i nazwisko|имя|фамилия|фио|姓名|氏名|"
    r"名前|이름|성명|الاسم|नाम|ad soyad|jméno|candidate|applicant|resume of|cv of|curriculum vitae of|résumé of|nama|tên|họ và tên)"
    r"(?:\(s\))?[\"'*_]*\s*(?:[:=：]|\s[-–]\s|(?<=of)\s)\s*[\"'*_]*\s*",
    re.IGNORECASE | re.MULTILINE,
)
PERSON_LABEL = re.compile(
    r"\b(?:referee|reference|supervisor|line manager|hiring manager|reporting manager|manager|advisor|adviser|mentor|contact person|"
    r"contact|emergency contact|signed|signature|signed by|author|prepared by|principal investigator|thesis advisor|"
    r"guide|spouse|father|mother|husband|wife|next of kin|kontakt|guarantor|recommender|submitted by|/s/)"
    r"(?:\s*(?:\d|#\d))?\s*[:=：]?\s+(?:[-–]\s*)?(?=(?-i:[^\W\d_a-z]))",
    re.IGNORECASE,
)
CLOSING = re.compile(
    r"(?:sincerely|regards|yours (?:truly|faithfully|sincerely)|respectfully|best|cheers|thank you|thanks|cordially|"
    r"saludos|atentamente|cordialement|mit freundlichen grüßen|signature|/s/)[,.!]*\s*$",
    re.IGNORECASE,
)
PERSON_VERB = frozenset(
    """is was has had holds held led leads worked works joined joins brings earned earns graduated specializes specialises
    managed manages built builds served serves studied studies lives enjoys started received completed possesses offers
    began developed excels thrives loves speaks demonstrated designed taught teaches volunteers volunteered oversaw oversees
    spent will can grew currently also""".split()
)
