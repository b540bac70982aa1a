"""Schools as resumes write them: the name goes, and nothing beside it does."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

REDACTOR = Redactor()
TOP = "Petra Novotna\npetra@mail.example\n\n"


def below_top(body: str) -> str:
    return REDACTOR.redact(normalise(TOP + body)).text.removeprefix("[NAME]\n[EMAIL]\n\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # A name ends with its line, unless it goes on in the next.
        ("Education\nMaster of Arts in Linguistics\nUniversity of Leeds", "Education\nMaster of Arts in Linguistics\n[SCHOOL]"),
        ("Education\nDiploma in Mechatronics\nGovernment Polytechnic", "Education\nDiploma in Mechatronics\n[SCHOOL]"),
        ("Experience\nTutoring Statistics\nUniversity of Ghent", "Experience\nTutoring Statistics\n[SCHOOL]"),
        ("Clerk\n\nEDUCATION\nUniversity of Vermont", "Clerk\n\nEDUCATION\n[SCHOOL]"),
        ("Education\nBA, College of\nNew Hampton", "Education\nBA, [SCHOOL]"),
        # In small letters and in capitals.
        ("Education\nMSc in chemistry\nmahatma gandhi university, Kottayam", "Education\nMSc in chemistry\n[SCHOOL], Kottayam"),
        ("Education\n12th\nsaraswati vidya mandir\n10th\nst. xavier's high school", "Education\n12th\n[SCHOOL]\n10th\n[SCHOOL]"),
        ("Experience\nVisited mumbai University and Pimpri chinchwad college of engineering", "Experience\nVisited [SCHOOL] and [SCHOOL]"),
        ("EDUCATION\nMBA\nINSTITUTE OF FOREIGN TRADE\nB.SC\nST. THERESA COLLEGE FOR WOMEN", "EDUCATION\nMBA\n[SCHOOL]\nB.SC\n[SCHOOL]"),
        # Initials, possessives and the article.
        ("Education\nB.E Anna University, Salem", "Education\nB.E [SCHOOL], Salem"),
        ("Education\nBSc, D.Y. Patil College of Engg and Technology Hubli", "Education\nBSc, [SCHOOL]"),
        ("Education\nBA from St. Mark's University", "Education\nBA from [SCHOOL]"),
        ("Education\nThe University of Leeds", "Education\n[SCHOOL]"),
        # Misspelt.
        ("Education\nBA, Harlow Park Universtiy", "Education\nBA, [SCHOOL]"),
        ("Education\nMSc, Meridian Institue of Science", "Education\nMSc, [SCHOOL]"),
        ("Education\nBBA, Pinewood Collage", "Education\nBBA, [SCHOOL]"),
        ("Education\nDiploma, Larkspur Acadamy", "Education\nDiploma, [SCHOOL]"),
        # Abbreviations.
        ("Education\nB.E. Mechanical Engineering\nRVCE, Bengaluru\nMSc Epidemiology\nSOAS", "Education\nB.E. Mechanical Engineering\n[SCHOOL], Bengaluru\nMSc Epidemiology\n[SCHOOL]"),
        ("Education\nB.Tech (CSE), NSIT", "Education\nB.Tech (CSE), [SCHOOL]"),
        ("Education\nMSc, Universidade de Coimbra (UC)", "Education\nMSc, [SCHOOL]"),
        # Without a key word.
        ("Education\nBishop Hartley High, Ohio - Diploma\nRiverside Secondary", "Education\n[SCHOOL], Ohio - Diploma\n[SCHOOL]"),
        ("Education\nMin Zhong Institution - A Levels", "Education\n[SCHOOL] - A Levels"),
        ("Education\nGymnasium Carolinum - Abitur", "Education\n[SCHOOL] - Abitur"),
        # What tells the sex goes with the name.
        ("Education\nB.A., Lady Doak College for Women", "Education\nB.A., [SCHOOL]"),
        ("Education\nStella Maris College (for Women), Salem", "Education\n[SCHOOL], Salem"),
        ("Education\nKingston Boys' High School", "Education\n[SCHOOL]"),
    ],
)  # fmt: skip
def test_the_school_is_hidden_and_nothing_else(body: str, expected: str) -> None:
    assert below_top(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "Experience\nBlue Harbor ------- Princeton NJ",
        "Experience\nOxford BioMedica - Analyst in Columbia Sportswear",
        "Experience\nManager, MBA, Cambridge, MA",
        "Experience\nR&D Institute of Globex",
        "Experience\nSummer School of Machine Learning",
        "Experience\nKhan Academy content, a school management system, College recruitment lead",
        "Experience\nSold software to schools and universities; Academy Sports",
        "Experience\nGauhati High Court",
        "Skills\nhigh school tutoring, college outreach, university partnerships",
        "Education\nBachelor of Technology\nKubernetes\nDocker",
        "Education\nB.Sc Computer Science\nData Analytics",
        "Education\nBSc Informatics\nOracle Certified Professional\nAWS Certified Developer",
    ],
)
def test_firms_towns_fields_and_tools_are_left(body: str) -> None:
    assert below_top(body) == body


def test_a_school_in_capitals_is_one_span_with_its_own_bounds() -> None:
    text = normalise(TOP + "EDUCATION\nB.COM\nGRANITE VALLEY UNIVERSITY, 2011")
    spans = [span for span in REDACTOR.analyse(text).spans if span.category == "school"]
    assert [text[span.start : span.end] for span in spans] == ["GRANITE VALLEY UNIVERSITY"]


def test_a_text_that_lost_its_line_breaks_is_read_by_its_gaps() -> None:
    text = (
        "Clerk with ten years in the archives of two towns and a taste for order.    Education  GRANITE COLLEGE -- Ulm  "
        "BS, Information Technology  expected 6/2012    Work Experience:  Nordfund AB  2013 - 2016"
    )
    output = below_top("Profile\n" + text)
    assert "Education  [SCHOOL] -- Ulm  BS, Information Technology  expected 6/[YEAR]" in output
    assert output.endswith("Work Experience:  Nordfund AB  2013 - 2016")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # Behind "from", "at", a label, before "alumni": whatever the name looks like.
        ("Summary\nGraduated from Ostwerk in 2015; likes numbers.", "Summary\nGraduated from [SCHOOL] in [YEAR]; likes numbers."),
        ("Summary\nHolds an MBA in Finance from QSTM Haldenau.", "Summary\nHolds an MBA in Finance from [SCHOOL]."),
        ("Summary\nI studied Physics at Yul-sen Akademi and sailed.", "Summary\nI studied Physics at [SCHOOL] and sailed."),
        ("Summary\nQSTM Haldenau alumni with a calm manner.", "Summary\n[SCHOOL] alumni with a calm manner."),
        ("Education\nQualification : MBA\nInstitute : QSTM\nGrade : A", "Education\nQualification : MBA\nInstitute : [SCHOOL]\nGrade : A"),
        ("Education\nPursuing B.Com in Accounting at Our Lady Rosgarten", "Education\nPursuing B.Com in Accounting at [SCHOOL]"),
        # The cell is the name.
        ("Education\nMBA\nVolgarad National Research Technical University", "Education\nMBA\n[SCHOOL]"),
        ("Education\nMBA\nMarl and Otterbeck College, Hull", "Education\nMBA\n[SCHOOL], Hull"),
        ("Education\nHSC\nGreenfield Vidyalaya No. 7", "Education\nHSC\n[SCHOOL]"),
        ("Education\nDiploma\nUfergau No. 4 High School", "Education\nDiploma\n[SCHOOL]"),
        ("Education\nMBA\nRosgarten Group of Institutions", "Education\nMBA\n[SCHOOL]"),
        ("Education\nHSC\nNoorbagh School and College", "Education\nHSC\n[SCHOOL]"),
        # Key words that are written in one with others.
        ("Education\nDiploma\nBerufsschule Otterbeck", "Education\nDiploma\n[SCHOOL]"),
        ("Education\nMBA, Saraswati Vishwavidyalaya, Ujjain", "Education\nMBA, [SCHOOL], Ujjain"),
        # Without a key word, beside a degree.
        ("Education\nMCA, QSTM Haldenau, 2011", "Education\nMCA, [SCHOOL], [YEAR]"),
        ("Education\nB.Tech in Computer Science QSTM 2011", "Education\nB.Tech in Computer Science [SCHOOL] [YEAR]"),
        # The field stays.
        ("Education\nMaster of Arts in English Literature Otterbeck University", "Education\nMaster of Arts in English Literature [SCHOOL]"),
        # A town of the list goes with the name outside education too.
        ("Certificates\nExcel, Otterbeck University Dubai", "Certificates\nExcel, [SCHOOL]"),
    ],
)  # fmt: skip
def test_a_school_is_told_by_where_it_stands(body: str, expected: str) -> None:
    assert below_top(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "Summary\nMoved from Germany after a degree from 2010 to 2012",
        "Summary\nDiploma in hand, then analyst at Nordfund Logistics",
        "Summary\nMBA and certificates from Microsoft Azure",
        "Summary\nBachelor from Berlin",
        "Education\nMBA, Finance, Indore",
    ],
)
def test_firms_countries_and_towns_in_such_a_place_are_left(body: str) -> None:
    assert "[SCHOOL]" not in below_top(body)


@pytest.mark.parametrize(
    "body",
    [
        "Experience\nStudent Teacher\nOtterbeck High School, Hull\nJan - May 2011",
        "Experience\nOtterbeck Elementary School, Hull\nGym classes for grades 2 and 3",
        "Teaching experience\nIntegration Aide\nOtterbeck Primary School",
        "Summary\nI worked with St. Odo's High School as a business teacher for a year.",
        "Experience\nLaboratory assistant\nOtterbeck Institute",
    ],
)
def test_a_school_that_employed_stays(body: str) -> None:
    assert "[SCHOOL]" not in below_top(body)


@pytest.mark.parametrize(
    "body",
    [
        "Experience\nLecturer\nOtterbeck University\n2010 - 2014",
        "Experience\nLecturer\nOtterbeck Institute of Technology",
        "Experience\nDiploma, Otterbeck High School, Hull",
        "Experience\nClerk, Nordfund AB\nAttended Otterbeck High School",
        "Education\nOtterbeck High School\nDiploma",
        "Summary\nAlumnus of Otterbeck High School",
    ],
)
def test_higher_education_and_places_of_study_go_in_any_section(body: str) -> None:
    assert "[SCHOOL]" in below_top(body)
    assert "Otterbeck" not in below_top(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # The degree and the field in front of the name stay.
        ("Education\nB.Com Otterbeck University 2009 64.5", "Education\nB.Com [SCHOOL] [YEAR] 64.5"),
        ("Education\nB.E. in Computer Science University of Ghent 2010", "Education\nB.E. in Computer Science [SCHOOL] [YEAR]"),
        ("Education\nB.E. in Computer Science Govt. Polytechnic, Nagpur", "Education\nB.E. in Computer Science [SCHOOL], Nagpur"),
        ("Education\nM.S. Ramaiah College\nB.E. Chemistry", "Education\n[SCHOOL]\nB.E. Chemistry"),
        # In small letters and in capitals behind "from".
        ("Education\nmba (hr) from qstm haldenau in 2014", "Education\nmba (hr) from [SCHOOL] in [YEAR]"),
        ("Education\nb.tech from otterbeck institute with 71%", "Education\nb.tech from [SCHOOL] with 71%"),
        ("ACADEMIC PROFILE\nMBA (FINANCE) FROM QSTM WITH 61%", "ACADEMIC PROFILE\nMBA (FINANCE) FROM [SCHOOL] WITH 61%"),
        # Rows that lost their bounds, names in brackets, one word with its date.
        ("Education\nMCA QSTM 2008 64.5", "Education\nMCA [SCHOOL] [YEAR] 64.5"),
        ("Education\nB.E. in Computer Science QSTM, Belgaum 2010", "Education\nB.E. in Computer Science [SCHOOL], Belgaum [YEAR]"),
        ("Education\nPh.D. in Organic Chemistry (QSTM, 2006)", "Education\nPh.D. in Organic Chemistry ([SCHOOL], [YEAR])"),
        ("Education\nBachelor of Science\nOtterbeck\n2010 - 2014", "Education\nBachelor of Science\n[SCHOOL]\n[YEAR] - [YEAR]"),
        # Classes and certificates count as degrees do.
        ("Education\n12th, Rosgarten Memorial, Hull, 2007, 78%", "Education\n12th, [SCHOOL], Hull, [YEAR], 78%"),
        ("Education\nClass X: Rosgarten Memorial (2001) - 88%", "Education\nClass X: [SCHOOL] ([YEAR]) - 88%"),
        ("Education\nB.Com, Otterbeck University 2009 Intermediate Rosgarten Memorial 2006", "Education\nB.Com, [SCHOOL] [YEAR] Intermediate [SCHOOL] [YEAR]"),
        ("Education\nHigher Secondary\nRosgarten Vidya Mandir", "Education\nHigher Secondary\n[SCHOOL]"),
        # Where one entry has its school below its degree, so have the others, whatever stands there.
        ("Education\n\nMBA in Marketing\n\nOtterbeck College\n\nB.Sc\n\nRosgart -  Pune\n\nHSC\n\nSacred Heart June 2009", "Education\n\nMBA in Marketing\n\n[SCHOOL]\n\nB.Sc\n\n[SCHOOL] -  Pune\n\nHSC\n\n[SCHOOL] June [YEAR]"),
        ("Education\nMBA\nOtterbeck College\n2012\nSSC\nCBSE\n2006\nEngineering\nTrust\n2010 to 2014", "Education\nMBA\n[SCHOOL]\n[YEAR]\nSSC\n[SCHOOL]\n[YEAR]\nEngineering\n[SCHOOL]\n[YEAR] to [YEAR]"),
        ("Education\nSSC\nCBSE, 2006", "Education\nSSC\n[SCHOOL], [YEAR]"),
        # Names behind the key word, and numbers for a name.
        ("EDUCATION\nHSC\nCOLÉGIO OTTERBECK", "EDUCATION\nHSC\n[SCHOOL]"),
        ("Education\n10th\ngymnasium am rosgarten", "Education\n10th\n[SCHOOL]"),
        ("Education\nDiploma\nSchool No. 57, Moscow", "Education\nDiploma\n[SCHOOL], Moscow"),
        ("Education\nAbitur\nIII Liceum Otterbeckie", "Education\nAbitur\n[SCHOOL]"),
        # Boards of examination.
        ("Education\nXII | Rosgarten School | Kerala State Board | 82", "Education\nXII | [SCHOOL] | [SCHOOL] | 82"),
        ("Education\nHSC, Board of Intermediate Education, 2006", "Education\nHSC, [SCHOOL], [YEAR]"),
        # Campuses and what kind of school it is.
        ("Education\nB.Tech, IIT (BHU) Varanasi", "Education\nB.Tech, [SCHOOL]"),
        ("Education\nBSc, North Carolina A&T", "Education\nBSc, [SCHOOL]"),
        ("Education\nBSc, Otterbeck College (Autonomous)", "Education\nBSc, [SCHOOL]"),
        # Outside education: behind a degree and its field.
        ("Certificates\nDiploma in Statistics, QSTM, 2019", "Certificates\nDiploma in Statistics, [SCHOOL], [YEAR]"),
        ("Projects\nFinal project, MSc in Statistics at Cornell: a meter", "Projects\nFinal project, MSc in Statistics at [SCHOOL]: a meter"),
    ],
)  # fmt: skip
def test_schools_in_rows_of_any_make(body: str, expected: str) -> None:
    assert below_top(body) == expected


def test_a_school_behind_the_field_in_the_header_is_hidden() -> None:
    assert below_top("MSc Chemistry, Cornell\n\nObjective\nA laboratory.").startswith(
        "MSc Chemistry, [SCHOOL]\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "Education\nMCA\nTools: Windows 2003, Office 2010, SQL Server 2016, Windows 2000/2003/2008",
        "Certificates\nDiploma in Windows Server 2012 administration",
        "Certificates\nDiploma in Chemistry, HPLC, GC, titration",
        "Experience\nDeputy director  Institute for Public Health  Graduate School board  2003",
        "Experience\nSwimming  Physical Education  Hull  Otterbeck Elementary School  2010",
        "Experience\nNurse, Otterbeck University Hospital\nAnalyst, Great Lakes Logistics, NIIT Technologies",
        "Education\nBSc\nMember of the Advisory Board\nComputer basics, typing",
        "Education\nSenior Secondary -   Ottershaw, Uttarakhand",
        "Education\nB.Sc\nPhrases can be extracted from raw text. Parsing is next.",
        "Education\nBSc Statistics\n\nPortuguese (professional), Twi (native)",
        "Education\nMBA\n\nCOURSES: managing stock",
    ],
)
def test_tools_and_employers_beside_studies_stay(body: str) -> None:
    assert below_top(body) == body


def test_towns_and_years_show_schools_in_a_text_that_lost_its_breaks() -> None:
    start = "Careful with stock and tills. " * 8
    text = below_top(f"{start}EDUCATION HSC Rosgarten - Pune 2012 B.Sc Otterbeck, Chennai SKILLS Java, Excel")
    assert text == f"{start}EDUCATION HSC [SCHOOL] - Pune [YEAR] B.Sc [SCHOOL], Chennai SKILLS Java, Excel"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # Boards by their abbreviation, with and without a place or "Board".
        ("Education\nHSC, Otterbeck School, CBSE, 71%\nSSC (RBSE)", "Education\nHSC, [SCHOOL], [SCHOOL], 71%\nSSC ([SCHOOL])"),
        ("Education\n10th, C.B.S.E., 2004\n12th, SSC Board", "Education\n10th, [SCHOOL], [YEAR]\n12th, [SCHOOL]"),
        ("Education\nF.Sc, BISE Lahore", "Education\nF.Sc, [SCHOOL]"),
        # A title before an abbreviation of the lists, a part of a university, a town that tells one from another.
        ("Education\nBE in Civil Engineering\nDr. BAMU, Jalna", "Education\nBE in Civil Engineering\n[SCHOOL], Jalna"),
        ("Education\nMA, Columbia University, Teachers College", "Education\nMA, [SCHOOL]"),
        ("Education\nMSc, Otterbeck University, Off-Campus", "Education\nMSc, [SCHOOL]"),
        ("Education\nDiploma, Govt. Engg. College, Thrissur, 2011", "Education\nDiploma, [SCHOOL], [YEAR]"),
        # Key words that end a cell.
        ("Education\nSSLC\nRosgarten Matriculation", "Education\nSSLC\n[SCHOOL]"),
        ("Education\nBA, Otterbeck State, 2011", "Education\nBA, [SCHOOL], [YEAR]"),
        ("Education\nHND, Harlowe Poly", "Education\nHND, [SCHOOL]"),
        ("Education\nHSC, Marlgau HSS", "Education\nHSC, [SCHOOL]"),
        ("Education\nCertificate in Trade\nCrown Marl Training Centre", "Education\nCertificate in Trade\n[SCHOOL]"),
        ("Education\nB.Sc D.B.K. (PG) College, Ulm", "Education\nB.Sc [SCHOOL], Ulm"),
        # A second school in the row: a college of a university.
        ("Education\nBCA, SBKR Ostwald, Mysore University, 65%", "Education\nBCA, [SCHOOL], [SCHOOL], 65%"),
        ("Education\nB.Tech, Otterbeck College, QSTU, 2011", "Education\nB.Tech, [SCHOOL], [SCHOOL], [YEAR]"),
        ("Education\nBA, Otterbeck College, DU", "Education\nBA, [SCHOOL], [SCHOOL]"),
        # As job boards lay it out: a town and its State follow, so that the cell is no town itself.
        ("Education\nA.A. in Design\nValencia - Orlando, FL", "Education\nA.A. in Design\n[SCHOOL] - Orlando, FL"),
        ("Education\nSome college in Drawing\nHarold Ostwald - Chicago, IL", "Education\nSome college in Drawing\n[SCHOOL] - Chicago, IL"),
        ("Education\nB.Tech in CSE Rosgart - Hyderabad, Telangana 2011", "Education\nB.Tech in CSE [SCHOOL] - Hyderabad, Telangana [YEAR]"),
        # Behind a certificate of a school, whatever words its name is made of.
        ("Education\nWASSCE, Opal Hill, 2009\nSLC, Galaxy Public", "Education\nWASSCE, [SCHOOL], [YEAR]\nSLC, [SCHOOL]"),
        ("Education\nSMAN 3 Bandung\nMatura, III LO", "Education\n[SCHOOL]\nMatura, [SCHOOL]"),
        ("Education\nLicence en Chimie, Paris VI", "Education\nLicence en Chimie, [SCHOOL]"),
        ("education\n10th from national pu college", "education\n10th from [SCHOOL]"),
        # A heading behind the last word of a paragraph.
        ("Skills\nHTML and Visual Studio CodeEducation Details\nMarch 2011 HSC   Rosgarten Valley\n", "Skills\nHTML and Visual Studio CodeEducation Details\nMarch [YEAR] HSC   [SCHOOL]\n"),
    ],
)  # fmt: skip
def test_boards_second_schools_and_job_boards(body: str, expected: str) -> None:
    assert below_top(body) == expected.rstrip("\n")


@pytest.mark.parametrize(
    "body",
    [
        "Experience\nNurse, Temple University Hospital and Duke University Medical Center",
        "Experience\nClerk, Columbia University Federal Credit Union",
        "Clients\nUnion Bank of California (UBC), MS Excel",
        "Education\nB.Tech in Civil Engineering\nData Model, Role Model\nNotary Public",
        "Education\nA Levels, Business Studies, Further Maths\nHSC, First Class\nDiplom Informatik, Note 1",
        "Education\nDiploma in Web Design, Adobe Photoshop, Dreamweaver",
    ],
)
def test_employers_fields_grades_and_tools_beside_schools_are_left(body: str) -> None:
    assert below_top(body) == body
