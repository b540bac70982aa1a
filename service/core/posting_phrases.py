"""Phrases by which the boilerplate of postings is told, American and British.

All are searched in one sentence in small letters, with straight apostrophes. A repeat has an upper bound, so that a long sentence is read in time that grows
with its length.
"""

from __future__ import annotations

import re
from typing import Literal

from service.core.redaction.scanning import Scan, scan

Kind = Literal[
    "company", "benefits", "equal_opportunity", "application", "legal", "agency", "header", "markup"
]
"""`company`: who the employer is; `legal`: privacy, disclaimers, checks before employment; `agency`: of an agency
about itself; `header`: fields of a job board (number, place, pay); `markup`: scripts and styles of a web page."""

Patterns = tuple[tuple[Kind, Scan], ...]


def _pattern(source: str) -> Scan:
    r"""A blank of `source` stands for white space, a line break for nothing, and `\w+` for a word of at most 25 letters."""
    joined = "".join(source.lstrip("\n").removeprefix("    ").split("\n    "))
    return scan(joined.rstrip("\n").replace(" ", r"\s").replace(r"\w+", r"\w{1,25}"))


ROLE_HEADING = _pattern(r"""
    [^\w]{0,3}(?:(?:the|your|our|job|position|role|key|main|primary|general|essential|major|core|specific|other|additional
    |typical|required|preferred|minimum|basic|desired|desirable|technical|professional|work|education(?:al)?|physical|skills?
    |and|&|/|what|who)[ /&]{1,3}){0,4}
    (?:responsibilit(?:y|ies)|duties|requirements?|qualifications?|skills?|abilities|competenc(?:y|ies)|experience|education
    |knowledge|functions|tasks|accountabilities|description|summary|overview|profile|role|purpose|you'll (?:do|bring|need)
    |you (?:will do|bring|are|need)|about (?:you|the (?:job|role|position|opportunity))|must[ -]haves?|nice[ -]to[ -]haves?
    |the opportunity|demands)\b
    (?! (?:of (?:the )?(?:company|employer)|will|is|are|has|have)\b)""")
"""Opens a part about the work or the person sought."""

SECTION_HEADINGS: Patterns = (
    ("benefits", _pattern(r"""
    (?:(?:our|the|your|employee|company|excellent|great|full|competitive|pay|salary|wages?|compensation|perks|rewards?
    |benefits?|and|&|/|,|features|total|some of|additional|other|a few of|package|what|why)[ ,/&]{0,3}){0,6}
    (?:benefits?(?: (?:package|included?|includes|including|offered|statement|summary|overview|of client|while on contract
    |and perks))?|perks|compensation|remuneration|rewards?(?: package includes)?|we offer(?: you)?|we provide|we'll offer
    |you'll get|you get|you will receive|you'll receive|in return|in it for (?:you|me)|why work (?:for|with) us|package) ?[:?]?""")),
    ("company", _pattern(r"""
    (?:about (?:us|our (?:company|client|firm|organi[sz]ation|team)|the (?:company|employer|client|firm|organi[sz]ation))
    |who we are|(?:the )?company(?: (?:description|profile|overview|information|background|summary|culture))?
    |our (?:company|client|story|mission|vision|values|culture)|description of employer|why join us
    |corporate (?:overview|profile)) ?[:?]?""")),
    ("application", _pattern(r"""
    (?:how to apply|to apply|application (?:process|instructions?|procedure)|contact(?: (?:information|details|us|person))?
    |next steps?|closing date|interview process) ?[:?]?""")),
    ("equal_opportunity", _pattern(r"""
    (?:an? )?(?:equal (?:employment )?opportunit(?:y|ies)(?: (?:employer|statement))?|eeo(?: (?:statement|employer))?
    |diversity (?:and|&) inclusion(?: statement)?|diversity statement) ?:?""")),
    ("legal", _pattern(
    r"(?:disclaimer|legal(?: notice)?|privacy (?:policy|notice|statement)|data protection (?:notice|statement)) ?:?")),
)  # fmt: skip

FIELD = _pattern(r"""
    (?:(?:toll|primary|work|job|other|alternate|pay|base|starting|hiring|annual|posting|requisition|req|employment|employee
    |position|contract|company|vacancy|reference|direct|office|date)[ -]){0,2}
    (?:locations?|salary(?: range)?|wages?|pay|rate|range|compensation|number|id|ref(?:erence)?(?: (?:no\.?|number|code))?|code
    |req|posted|date|company|organi[sz]ation|employer|recruiter|contact(?: (?:name|person))?|phone|tel(?:ephone)?|fax
    |e-?mail|website|address|duration|start date|closing date|deadline|posting|toll[ -]free|flsa status|industry|sector|status
    |time type|hiring manager|category) {0,2}(?:#|id|no\.?)? {0,2}:""")
"""A label of a job board; what stands behind it is its value."""

DUTY = _pattern(r"""
    [^\w]{0,3}(?:(?:and|also|to|will|you will|you'll|responsible for|effectively|actively|successfully|occasionally) ){0,2}
    (?:accurately|achieve|act|adapt|address|adher|administer|advis|align|analy[sz]|answer|apply(?! (?:now|today|online|here|in person|at|via|by|directly|to apply|for this))
    |approv|arrang|assembl|assess|assist|assum|attend|audit|balanc|build|calculat|calibrat|care\b|check|clean|clear|coach|collaborat
    |collect|communicat|compil|complet|comply|conduct|configur|consult|contribut|cook|coordinat|co-ordinat|counsel|creat|deal\b
    |defin|deliver|demonstrat|deploy|design|desire|determin|develop|diagnos|directs?\b|document|draft|driv(?:e|es|ing)\b|educat
    |enforc|engag|ensur|enter\b|establish|evaluat|examin|execut|explain|facilitat|file|follow|forecast|gather|generat|greet|handl
    |help|host|identif|implement|improv|increas|inspect|install|interact|interfac|interpret|interview|investigat|keep
    |lead(?:s|ing)?\b(?! (?:provider|company|firm|supplier|manufacturer))|liais|load|maintain|mak(?:e|es|ing)\b|manag(?:e|es|ing)\b
    |market|measur|mentor|monitor|motivat|negotiat|operat(?:e|es|ing)\b|orchestrat|order|organi[sz](?:e|es|ing)\b|oversee|own\b
    |participat|perform|plan(?:s|ning)?\b|prepar|present|process|produc|program|promot|provid(?:e|es|ing) (?!health|medical|benefit)
    |pull|recommend|reconcil|record|recruit|report(?! (?:this|job))|research|resolv|respond|review|run|schedul|screen|sell
    |serv(?:e|es|ing)\b|set|show|solicit|solv|supervis|support|teach|test|track|train|translat|transport|troubleshoot|understand
    |updat|us(?:e|es|ing)\b|utili[sz]|verif|work(?:s|ing)? (?:with|on|as|closely|in|under|near)|writ)""")
"""A sentence that begins as duties do."""

_SOUGHT = r"""
    \b(?:(?:is|are|'re|currently|actively) (?:\w+ )?(?:looking for|seeking|hiring|searching|recruiting|in need of)
    |in search of|(?:has|have) an? (?:\w+ ){0,3}(?:opening|opportunity|position)
    |you will (?!be (?:paid|contacted|eligible|offered|considered|asked|entitled)|receive|find|enjoy|get\b|have access|also (?:receive|enjoy))
    |you'll (?!receive|enjoy|get\b|find|love)|responsib(?:le|ilit)|\d\+? years|years?'?s? (?:of )?(?:\w+ ){0,3}experience
    |(?:must|should) (?:have|possess|be able|hold|be a)|ability to|able to|proficien|fluen(?:t|cy)|bilingual|knowledge of
    |experience (?:in|with|of|as|using|working|is (?:required|preferred))|skills|degree|diploma|licen[cs]ed?\b|certified
    |certification|bachelor|master's|required to (?!complete|pass|submit|undergo|provide)
    |(?:the|this) (?:role|position|job|incumbent|successful|ideal|selected|right)\b|ideal candidate|reports? to|duties
    |as an? [a-z]{1,25} (?:you|at|with|for|in)\b|authori[sz](?:ed|ation) to work|right to work|sponsor(?:ship)?\b|clearance
    |(?:u\.?s\.?|united states|uk|british|eu) citizen|citizenship (?:is )?required|visas?\b|travel (?:is )?required
    |willing to (?:travel|relocate))"""
SOUGHT = _pattern(_SOUGHT)
"""Speaks of the work, or of whom it is for."""

WORK = _pattern(_SOUGHT + r"""
    |\b(?:experience|skills?|knowledge|must|abilit(?:y|ies)|requirements?|qualifications?|candidates?|require[sd]?|duties|tasks
    |preferred|lift|shift|you're|you are|you have)\b""")  # fmt: skip
"""As `SOUGHT`, and in single words."""

_GROUND = (
    r"(?:race|colou?r|religion|creed|sex|gender(?: identity)?|national origin|ancestry|age|disability|veteran(?: status)?s?"
    r"|sexual orientation|marital status|pregnancy|genetic)"
)
CERTAIN: Patterns = (
    ("equal_opportunity", _pattern(rf"""
    \b(?:is|are|as|we're) (?:\w+ ){{0,2}}an? (?:\w+[ /]){{0,2}}(?:equal|eeo|eoe|affirmative|aa/)
    |^(?:an? )?(?:eoe|eeo|aa/eoe|equal (?:employment )?opportunity)
    |(?:without regard to|regardless of|on the (?:basis|grounds) of) (?:\w+[ ,]{{1,2}}){{0,6}}{_GROUND}\b
    |\b{_GROUND}[,/;] ?(?:or )?{_GROUND}[,/;] ?(?:or )?{_GROUND}\b|e-verify""")),
    ("legal", _pattern(r"""
    (?:statements?|description|information) (?:\w+ ){0,6}(?:is|are|was|were|has|have)? ?(?:been )?(?:only )?intended (?:only )?to
    |not (?:\w+ ){0,4}(?:be )?(?:construed|interpreted|considered) (?:as|to)
    |(?:exhaustive|all[ -]inclusive|comprehensive) (?:list|listing|inventory)|reserves? the right|unsolicited (?:resum|cv)
    |at[ -]will employ|employment at[ -]will""")),
    ("application", _pattern(r"""
    \b(?:send|submit|e-?mail|forward|fax|upload|attach) (?:(?:us|me|in|your|an?|the|their|updated?|most|recent|copy|of|and|current
    |word|formatted|ms) ){0,8}(?:cv|r[eé]sum[eé]s?|cover letter)|\b(?:send|submit|complete) (?:your|an?) (?:\w+ )?application
    |\b(?:interested|qualified) (?:\w+ ){0,2}(?:candidates|applicants|parties|individuals) (?:\w+ ){0,3}
    (?:apply|send|submit|contact|call|e-?mail|forward|click|visit|respond|reply)|for (?:immediate|prompt|quickest) consideration
    |(?:click|press) (?:on )?(?:here|the|apply|"?apply)|\bapply (?:now|today|online|here|in person)
    |\bapply (?:at|via|by|directly|through) (?:www|http|our|the (?:link|website|address)|e-?mail|\S{1,40}@|sending|clicking)
    |if you have visited our website|(?:require|need) an? (?:\w+ )?accommodation
    |please (?:\w+ )?(?:apply|call|visit|contact|e-?mail|send|submit|reply|respond)\b""")),
)  # fmt: skip
"""Boilerplate whatever else the sentence says."""

_PLAN = r"(?:medical|dental|vision|health(?:care)?|life|disability)"
_EMPLOYER = r"""
    (?:provider|supplier|manufacturer|compan(?:y|ies)|firm|organi[sz]ation|retailer|distributor|developer|leader|agency|bank
    |hospital|university|network|group|business|producer|operator|employer|brand|institution|charity|plan|system)"""
STRONG: Patterns = (
    *CERTAIN,
    ("equal_opportunity", _pattern(rf"""
    \bequal (?:employment )?opportunit|\be[eo]oe?\b|affirmative action|\bm/f(?:/|\b)|minorit(?:y|ies) ?/
    |\b{_GROUND}[,/ ]{{1,3}}(?:or |and )?{_GROUND}\b|(?:does|do|will|shall) not (?:\w+ )?discriminat|protected veteran
    |reasonable accommodations?|(?:embrac|celebrat|valu|promot|support|commit\w{{0,9}} to|encourag)\w{{0,9}} (?:\w+ ){{0,3}}
    (?:diversity|diverse|inclusi|equality)|welcomes? (?:\w+ ){{0,2}}applica|pay transparency
    |(?:require|need) an? accommodation|drug[ -]free (?:work|employer|environment)""")),
    ("application", _pattern(r"""
    (?:^|\b(?:how|welcome you|encouraged|invited|wish|wishing|want|like|please) )to apply\b|\bapply (?:for this|to this|with us)
    |(?:closing|application) (?:date|deadline)
    |(?:only|selected|shortlisted|successful) (?:\w+ ){0,3}(?:candidates|applicants) (?:\w+ ){0,4}contacted|no phone calls
    |look forward to (?:hearing|receiving|meeting|reviewing)|report (?:this )?job|\b(?:call|text|phone|contact) (?:us|today|me|now)\b
    |\b(?:call|text|phone|contact) (?:\w+ ){1,3}at:? [(\d]|this (?:job )?listing (?:was )?brought
    |visit (?:us|our (?:web ?)?(?:site|page|career)|www|http)|www\.|https?://\S|\be-?mail (?:us|me)\b|\S@\w
    |for (?:more|further|additional) (?:information|details)|job fair|resum[eé]s? (?:to|at|via|only)\b|cover letter
    |if (?:you are |you're )?interested\b|if this sounds like""")),
    ("legal", _pattern(r"""
    \b(?:condition of|contingent (?:up)?on|prior to) (?:\w+ ){0,2}(?:employment|hire\b|background|drug)|\bpre-?(?:employment|hire)\b
    |(?:background|criminal) (?:\w+ ){0,2}(?:check|screen|investigation)s? (?:\w+ ){0,3}(?:will|is|are|may) be
    |\byour (?:personal )?(?:data|details|information) (?:\w+ ){0,3}(?:will|is|are|may|in accordance)|privacy (?:policy|notice|statement)
    |all rights reserved|©
    |terms of use|cookie policy""")),
    ("benefits", _pattern(rf"""
    \bwe (?:also |can |currently )?(?:offer|provide) (?:\w+[ ,]{{1,2}}){{0,8}}(?:benefits?|salar|compensation|pay\b|wage|insurance
    |bonus|vacation|time off|paid training|401|package|parking|career)
    |\boffers? (?:\w+[ ,]{{1,2}}){{0,8}}(?:benefits?|salary|compensation|wages?|bonus(?:es)?|vacation|401|package)
    |competitive (?:\w+[ ,/&]{{1,3}}){{0,3}}(?:salar|compensation|pay\b|wages?|benefits?|remuneration|package|hourly rate)
    |(?:benefits?|compensation|salary|rewards) (?:\w+ ){{0,2}}package
    |(?:full|comprehensive|excellent|great|generous|outstanding|attractive) (?:\w+ ){{0,2}}(?:benefits?|compensation)\b
    (?! (?:administ|consult|manag|special|analy))|benefits? (?:include|available|offered|such)|401 ?\(?k
    |\bpaid (?:time off|vacations?|holidays?|sick|training)|tuition (?:reimburse|assist|remission)
    |[$£] ?\d[\d,.]{{0,9}}k? ?(?:-|–|to|/|per\b|an\b|hourly|\+|annual|a year|plus|hr|p\.?a\b)
    (?!.{{0,25}}(?:million|mm\b|billion|budget|revenue|sales|quota|project|fine))
    |commensurate with|(?:days?'?|weeks?'?) (?:of )?(?:annual leave|paid (?:vacation|holiday|time)|holidays?\b|vacation)
    |(?:sign(?:ing)?[ -]?(?:on)?|hiring|retention|referral) bonus|\b(?:salary|wages?|pay(?: rate)?|base pay) ?(?:range)? ?
    (?::|is\b|starts?|starting)|profit sharing|stock (?:options?|purchase)|employee discounts?|weekly pay\b
    |eligible for (?:\w+ ){{0,3}}(?:benefits|bonus|insurance|medical)
    |\b{_PLAN}[,/ ]{{1,2}}(?:&|and )? ?{_PLAN}[,/ ]{{1,2}}(?:&|and )? ?(?:{_PLAN}|insurance|coverage|benefits)""")),
    ("agency", _pattern(r"""
    (?:staffing|recruit(?:ment|ing)|temporary help) (?:and \w+ )?(?:industry )?(?:agency|agencies|firm|company|leader|partner)
    |third[ -]part(?:y|ies) (?:recruit|agenc|candidates|vendors)|no third part|principals only|no (?:\w+ ){0,2}(?:agencies|recruiters)
    |acting as an? employment|referral (?:fee|program)|refer (?:someone|a friend|your friend)|direct hire, 
    |temp(?:orary)?[ -]to[ -](?:hire|perm|direct) (?:and|place|staff)|matching (?:top |great )?(?:talent|people)""")),
)  # fmt: skip
"""Boilerplate if nothing in the sentence speaks of the work."""

COMPANY: Patterns = (
    ("company", _pattern(rf"""
    \b(?:founded|established|incorporated) (?:in|since) (?:\w+ )?\d{{4}}|in business (?:for|since)|family[ -]owned
    |headquarter(?:s|ed) (?:\w+ )?(?:in|at)|\b(?:is|are|as|we're|become) (?:\w+ ){{0,2}}(?:an?|the|one of (?:the|america's|our)|among the) 
    (?:[\w'-]{{1,25}},? ){{0,5}}(?:leading|largest|premier|fastest|global|world|nation|privately|publicly|award|trusted|full[ -]service
    |recognized|international|independent|growing|established|non-?profit|not-for-profit)[\w'-]{{0,12}}
    (?:,? [\w/&'-]{{1,25}}){{0,8}}? {_EMPLOYER.strip()}
    |fortune (?:\d|500|magazine)|(?:our|the company's) (?:mission|vision|core values|culture|success|philosophy) (?:is|are|has|to|begins?)\b
    |offices (?:\w+ ){{0,2}}(?:in|throughout|across|nationwide|worldwide)
    |(?:over|than|approximately) [\d,]{{1,12}} (?:\w+ ){{0,3}}(?:employees|locations|offices|associates|countries|stores|team members)
    |employees (?:worldwide|across|globally|nationwide)|best (?:places?|companies) to work|\b(?:nyse|nasdaq)\b|market leader
    |\bis an? (?:\w+ ){{0,3}}(?:subsidiary|division) of|^(?:come (?:and )?)?join (?:us|our \w+).{{0,30}}$|great place to work
    |\bleading (?:\w+[ ,/&-]{{1,3}}){{0,4}}(?:provider|supplier|manufacturer|retailer|distributor)""")),
)  # fmt: skip
"""Who the employer is, if no single word of the sentence speaks of the work."""

WEAK: tuple[tuple[Kind, Scan, int], ...] = (
    ("benefits", _pattern(rf"""
    \b(?:{_PLAN} (?:insurance|coverage|plans?|benefits)|pension|pto|vacation|bonus(?:es)?|tuition|discounts?|benefits
    |sick (?:leave|days|time|pay)|time off|savings plan|spending account|childcare|maternity (?:leave|pay)|gym)\b"""), 2),
    ("company", _pattern(r"""
    \b(?:our (?:company|clients?|customers|employees|people|team|values|commitment|brands?|firm|mission|communities)
    |we (?:are|have|believe|strive|pride|value|serve|specialize|deliver|operate|continue|know|recogni[sz]e|help)|the company
    |innovati(?:ve|on)|committed to|dedicated to|quality (?:products|service)|solutions|industry|since \d{4}|customers|reputation
    |worldwide|global(?:ly)?|nationwide)\b"""), 3),
)  # fmt: skip
"""Boilerplate if so many different ones stand in a sentence without any word of the work."""

BENEFIT = _pattern(r"""
    \b(?:medical|dental|vision|health(?:care)?|life|disability|insurance|401|retirement|pension|pto|vacation|holidays?|paid
    |bonus(?:es)?|incentives?|commission|tuition|discounts?|salary|wages?|compensation|hourly|per hour|benefits?|leave
    |reimbursement|savings|stock|time off|advancement|growth|flexible|overtime|coverage|plans?|spending account|eligib\w+|eap
    |allowance|mileage|car|enrol)\b""")  # fmt: skip
"""What belongs to benefits that a heading or a sentence before announced."""

EMPLOYER = _pattern(r"""
    \b(?:we|us|our|company|firm|organi[sz]ation|client|customers?|employees|business|industry|leader|leading|world|global
    |provid(?:e|es|er)|services|products|solutions|communit(?:y|ies)|founded|since|mission|values|inc|llc|ltd|plc|corp)\b""")
"""What belongs to a description of the employer that has begun."""

CONTACT = re.compile(r"[^a-z\n]{0,80}")
"""A line of numbers and signs."""
