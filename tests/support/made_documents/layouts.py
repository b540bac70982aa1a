"""The same resume as sources for LaTeX, Typst and LibreOffice: one column, a sidebar, two columns, a table."""

from __future__ import annotations

from html import escape

from tests.support.made_documents.people import Resume

_LATEX = str.maketrans({ch: f"\\{ch}" for ch in "&%$#_{}"})
_TYPST = str.maketrans({ch: f"\\{ch}" for ch in "#$*_@<>`~[]"})


def latex(resume: Resume) -> dict[str, str]:
    """`paracol` columns with a dark sidebar, and the class moderncv, which prints dates in the margin."""
    basics = {
        key: value.translate(_LATEX) for key, value in resume["basics"].items() if isinstance(value, str)
    }
    first, last = basics["name"].split(" ")
    side = "".join(
        rf"\section*{{{skill['name']}}}" + r"\\ ".join(skill["keywords"]) for skill in resume["skills"]
    )
    side += r"\section*{Languages}" + r"\\ ".join(
        f"{one['language']}: {one['fluency']}" for one in resume["languages"]
    )
    main = rf"\section*{{Profile}}{basics['summary']}\section*{{Experience}}"
    for post in resume["work"]:
        lines = "".join(
            rf"\item {line}".translate(_LATEX).replace("\\\\", "\\") for line in post["highlights"]
        )
        main += rf"\textbf{{{post['position']}}}, {post['name']} \hfill {post['startDate'][:4]}--{post['endDate'][:4]}\par {post['summary']}"
        main += rf"\begin{{itemize}}{lines}\end{{itemize}}"
    for entry in resume["volunteer"]:
        main += rf"\section*{{Volunteering}}{entry['summary']}"
    sidebar = (
        r"\documentclass[10pt,a4paper]{article}\usepackage[T1]{fontenc}\usepackage[margin=1.5cm]{geometry}"
        r"\usepackage{paracol}\usepackage{xcolor}\pagestyle{empty}\begin{document}\setcolumnwidth{0.27\textwidth}"
        r"\columnsep=1cm\backgroundcolor{c[0](0.5cm,0.2cm)(0.4cm,30cm)}[HTML]{22313F}"
        rf"{{\Huge {basics['name']}}}\par\bigskip\begin{{paracol}}{{2}}\color{{white}}{side}\par {basics['email']}"
        rf"\switchcolumn\color{{black}}{main}\end{{paracol}}\end{{document}}"
    )
    modern = (
        r"\documentclass[10pt,a4paper,sans]{moderncv}\moderncvstyle{classic}\moderncvcolor{blue}\usepackage[T1]{fontenc}"
        rf"\usepackage[scale=0.8]{{geometry}}\name{{{first}}}{{{last}}}\email{{{basics['email']}}}\phone{{{basics['phone']}}}"
        rf"\begin{{document}}\makecvtitle \cvitem{{}}{{{basics['summary']}}}\section{{Experience}}"
    )
    for post in resume["work"]:
        lines = "".join(rf"\item {line.translate(_LATEX)}" for line in post["highlights"])
        modern += rf"\cventry{{{post['startDate'][:4]}--{post['endDate'][:4]}}}{{{post['position']}}}{{{post['name']}}}{{}}{{}}"
        modern += rf"{{{post['summary']} \begin{{itemize}}{lines}\end{{itemize}}}}"
    modern += r"\section{Skills}" + "".join(
        rf"\cvitem{{{skill['name']}}}{{{', '.join(skill['keywords'])}}}" for skill in resume["skills"]
    )
    modern += rf"\section{{Volunteering}}\cvitem{{2016--2019}}{{{resume['volunteer'][0]['summary']}}}\end{{document}}"
    return {"paracol": sidebar, "moderncv": modern}


def typst(resume: Resume) -> dict[str, str]:
    """A grid with the sidebar on the right, and newspaper columns."""
    basics = {
        key: value.translate(_TYPST) for key, value in resume["basics"].items() if isinstance(value, str)
    }
    head = f'#set page(paper: "us-letter", margin: 1.6cm)\n#set text(size: 9.5pt)\n= {basics["name"]}\n{basics["email"]}\n\n'
    main = f"== Profile\n{basics['summary']}\n\n== Experience\n"
    for post in resume["work"]:
        main += f"*{post['position']}* #h(1fr) {post['startDate'][:4]} - {post['endDate'][:4]}\n\n_{post['name']}_\n\n{post['summary']}\n\n"
        main += "".join(f"- {line.translate(_TYPST)}\n" for line in post["highlights"]) + "\n"
    rest = "== Skills\n" + "".join(
        f"*{skill['name']}*\n\n" + "".join(f"- {word}\n" for word in skill["keywords"]) + "\n"
        for skill in resume["skills"]
    )
    rest += f"== Volunteering\n{resume['volunteer'][0]['summary']}\n\n== Languages\n"
    rest += "".join(f"{one['language']} ({one['fluency']})\n\n" for one in resume["languages"])
    return {
        "typstside": f"{head}#grid(columns: (2fr, 1fr), gutter: 18pt, [{main}], [{rest}])\n",
        "typstcolumns": f"{head}#columns(2)[{main}{rest}]\n",
        "typstjustified": f"#set par(justify: true)\n#set text(hyphenate: true)\n{head}#grid(columns: (1fr, 2fr), gutter: 14pt, [{rest}], [{main}])\n",
    }


def office(resume: Resume) -> dict[str, str]:
    """One column, and a table of two cells as many people build their columns."""
    basics = {key: escape(value) for key, value in resume["basics"].items() if isinstance(value, str)}
    main = f"<h2>Profile</h2><p>{basics['summary']}</p><h2>Experience</h2>"
    for post in resume["work"]:
        main += f"<h3>{escape(post['position'])}, {escape(post['name'])}</h3><p>{post['startDate'][:4]} - {post['endDate'][:4]}</p><p>{escape(post['summary'])}</p>"
        main += "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in post["highlights"]) + "</ul>"
    rest = "<h2>Skills</h2>" + "".join(
        f"<p><b>{skill['name']}</b><br>{'<br>'.join(skill['keywords'])}</p>" for skill in resume["skills"]
    )
    rest += f"<h2>Volunteering</h2><p>{resume['volunteer'][0]['summary']}</p>"
    head = f"<h1>{basics['name']}</h1><p>{basics['email']} | {basics['phone']}</p>"
    page = '<html><head><meta charset="utf-8"><title>Resume</title></head><body>{}</body></html>'
    cells = f'<td width="30%" bgcolor="#1f2d3d" valign="top"><font color="#ffffff">{rest}</font></td><td valign="top">{main}</td>'
    return {
        "writer": page.format(head + main + rest),
        "writertable": page.format(
            f'{head}<table width="100%" border="0" cellpadding="8"><tr>{cells}</tr></table>'
        ),
    }


HIDDEN = {
    "white": ("color:#ffffff", "Kubernetes wizard of white ink"),
    "nearly_white": ("color:#fdfdfd", "Terraform sorcerer of pale ink"),
    "tiny": ("font-size:1px", "Kafka champion in tiny type"),
    "off_page": ("position:absolute;left:-900px;top:40px;width:700px", "Rust guru beyond the margin"),
    "on_dark": ("background:#20303f;color:#20303f;padding:4px", "Haskell prodigy on a dark bar"),
    "transparent": ("opacity:0.01", "Scala virtuoso of thin air"),
}
"""Tricks, each with the style that hides it and the words that it hides."""

SHOWN = {
    "on_sidebar": ("background:#20303f;color:#ffffff;padding:4px", "White words on a dark bar"),
    "pale": ("color:#999999", "Gray words that are meant to be quiet"),
    "small": ("font-size:7px", "Small print of seven pixels"),
    "on_gradient": (
        "background:linear-gradient(#20303f,#506f8f);color:#fff;padding:4px",
        "White words on a gradient",
    ),
    "with_shadow": ("color:#184878;text-shadow:0 2px 4px #777", "Words with a shadow behind them"),
    "on_rounded": (
        "background:#184878;border-radius:9px;color:#fff;padding:4px;width:300px",
        "White words on a rounded badge",
    ),
}
"""What looks like a trick and is none."""


def hidden(resume: Resume) -> dict[str, str]:
    """A page with tricks and with what only looks like them, a cover over text, and two pages with printed headers."""
    basics = resume["basics"]
    plain = f"<h1>{basics['name']}</h1><p>{basics['summary']}</p>"
    lines = "".join(
        f'<div style="{style}">{words}</div>' for style, words in (*HIDDEN.values(), *SHOWN.values())
    )
    cover = (
        '<div style="position:relative;height:30px"><p style="margin:0">Erlang legend under a cover</p>'
        '<div style="position:absolute;inset:0;background:#fff"></div></div>'
    )
    posts = "".join(
        f"<h2>{escape(post['position'])}</h2><p>{escape(post['summary'])}</p><ul>{''.join(f'<li>{escape(line)}</li>' for line in post['highlights'])}</ul>"
        for post in resume["work"]
    )
    page = '<html><head><meta charset="utf-8"><title>{}</title></head><body>{}</body></html>'
    long = f'{plain}{posts}<div style="break-before:page"></div><h2>Education</h2><p>{resume["education"][0]["institution"]}</p>'
    return {
        "hidden": page.format("Resume", f"{plain}{lines}{cover}{posts}"),
        "headers": page.format(f"Resume of {basics['name']}", long),
    }
