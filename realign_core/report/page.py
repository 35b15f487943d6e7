"""The page: headline, findings, figures with their words, methods, definitions, how to repeat it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from plotly.offline import get_plotlyjs

from realign_core import __version__
from realign_core.comparison import Comparison
from realign_core.figures.comparison_list import comparison_figures
from realign_core.figures.described import Described
from realign_core.figures.drift_list import drift_figures
from realign_core.figures.geometry_list import geometry_figures
from realign_core.figures.table import PAIR_SCORES, Cell, Table, comparison_table
from realign_core.figures.theme import LABELS
from realign_core.findings import (
    diagnosis_findings,
    headline,
    method_findings,
    published_findings,
    use_findings,
)
from realign_core.glossary import MISSING, SCORES, TERMS, count, percent, shown, term
from realign_core.report.assets import SCRIPT, STYLE
from realign_core.report.embed import drawn, embedded, heights
from realign_core.report.reproduce import command_line, left_out

text = html.escape


def report_html(comparison: Comparison) -> str:
    """The whole report as one self-contained page: plotly.js once, no request to anywhere."""
    diagnosis = comparison.diagnosis
    geometry = geometry_figures(diagnosis)
    drift = drift_figures(diagnosis, comparison.drift_path)
    methods = comparison_figures(comparison)
    body = [
        _opening(comparison, geometry[0]),
        _section("geometry", "Geometry: what the gap is made of", figures=geometry[1:]),
        _section("drift", "Phantom drift: what the sphere does to the mean", figures=drift),
        _compare(comparison, methods),
        _data(comparison),
        _definitions(),
    ]
    specs = drawn(d for d in (*geometry, *drift, *methods) if not d.empty)
    title = f"Modality gap: {text(_names(comparison))}"
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{title}</title><style>{STYLE}{heights(specs)}</style></head><body><main>",
            *body,
            "</main>",
            '<script id="figures" type="application/json">',
            embedded(specs),
            "</script>",
            f"<script>{get_plotlyjs()}</script><script>{SCRIPT}</script></body></html>\n",
        )
    )


def _names(comparison: Comparison) -> str:
    paths = (comparison.dataset.path_target, comparison.dataset.path_source)
    return " and ".join(dict.fromkeys(PurePath(path).name or path for path in paths))


def _opening(comparison: Comparison, energy: Described) -> str:
    dataset, diagnosis = comparison.dataset, comparison.diagnosis
    gap, found = diagnosis.gap, diagnosis.decomposition
    rows = (
        f"{count(dataset.n_target)} pairs"
        if dataset.paired
        else f"{count(dataset.n_target)} target and {count(dataset.n_source)} source rows, not paired"
    )
    bias = gap.centroid_distance**2 / found.total_energy if found.total_energy else None
    facts = [
        ("Gap", shown(gap.centroid_distance), "distance of the two means"),
        ("Sampling floor", shown(gap.sampling_floor), f"95 % bound {shown(gap.sampling_floor_95)}"),
        (
            "Bias / residual",
            MISSING if bias is None else f"{percent(bias)} / {percent(1 - bias)}",
            "of the squared distance of pairs",
        ),
        (
            "Residual anisotropy",
            shown(diagnosis.residual.anisotropy),
            f"round noise of this size {shown(diagnosis.isotropic.anisotropy)}",
        ),
        (
            "Rank of U",
            f"{diagnosis.frame.rank}",
            f"of {dataset.dim} dimensions, energy {diagnosis.frame.energy:g}",
        ),
    ]
    said = [f.text for f in diagnosis_findings(diagnosis)]
    uses = [f.text for f in use_findings(comparison)]
    judged = [f.text for f in method_findings(comparison)]
    claims = [f.text for f in published_findings(comparison)]
    parts = [
        f"<h1>Modality gap of {text(_names(comparison))}: {rows}, {dataset.dim} dimensions</h1>",
        f'<p class="lead">{text(headline(diagnosis))}</p>',
        '<p class="note"><span class="key t"></span>target (image) &ensp; '
        '<span class="key s"></span>source (text), the set that is mapped</p>',
        '<nav aria-label="Sections"><a href="#geometry">Geometry</a><a href="#drift">Phantom drift</a>'
        '<a href="#compare">Compare</a><a href="#data">Data and command</a>'
        '<a href="#definitions">Definitions</a></nav>',
        '<dl class="facts">',
        *(
            f"<div><dt>{text(a)}</dt><dd>{text(b)}<small>{text(c)}</small></dd></div>"
            for a, b, c in facts
            if b != MISSING
        ),
        "</dl>",
        f'<div class="grid opening">{_figure(energy)}',
        f"<div>{_listed('What the numbers say of the gap', said)}</div><div>",
        _listed("What closing the gap costs on held-out rows", uses),
        _listed("What the methods do on held-out rows", judged),
        _listed("Published claims that fail on these data", claims),
        "</div></div>",
    ]
    if comparison.warnings:
        parts.append(_listed("Keep in mind", comparison.warnings))
    return "".join(parts)


def _listed(heading: str, sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    items = "".join(f"<li>{text(sentence)}</li>" for sentence in sentences)
    return f'<h3 class="list">{text(heading)}</h3><ul class="findings">{items}</ul>'


def _section(key: str, heading: str, *, figures: Sequence[Described], before: str = "") -> str:
    present, absent = [d for d in figures if not d.empty], [d for d in figures if d.empty]
    shown_figures = "".join(map(_figure, present))
    reasons = _listed("Not there for these data", [f"{d.title.rstrip('?')}: {_reason(d)}" for d in absent])
    heading = f"<h2>{text(heading)}</h2>"
    return f'<section id="{key}">{heading}{before}<div class="grid">{shown_figures}</div>{reasons}</section>'


def _reason(described: Described) -> str:
    """The sentence that an empty figure shows."""
    return html.unescape(described.draw(False).layout.annotations[0].text.replace("<br>", " "))


def _figure(described: Described) -> str:
    wide = ' class="wide"' if described.wide else ""
    return (
        f'<figure{wide} id="{described.key}"><figcaption><h3>{text(described.title)}</h3>'
        f"<p>{text(described.reading)}</p></figcaption>"
        f'<div class="plot" role="img" aria-label="{text(described.alt)}" '
        f'id="plot-{described.key}"></div>'
        f"{_details('In words', f'<p>{text(described.alt)}</p>')}"
        f"{_details('Table', _table(described.columns, described.rows)) if described.rows else ''}"
        f"{_details('What these mean', _terms(described.terms))}</figure>"
    )


def _details(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>{content}</details>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{text(column)}</th>' for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _terms(keys: Iterable[str]) -> str:
    entries = []
    for key in keys:
        entry = term(key)
        better = {"up": " Higher is better.", "down": " Lower is better.", None: ""}[entry.better]
        entries.append(
            f"<dt>{text(entry.label)}</dt><dd>{text(entry.meaning)}{better}<br><code>{text(entry.formula)}</code>"
            f'<br><span class="muted">{text(entry.range)} · {text(entry.source)}</span></dd>'
        )
    return f'<dl class="terms">{"".join(entries)}</dl>'


def _compare(comparison: Comparison, figures: Sequence[Described]) -> str:
    table, pairs = comparison_table(comparison), comparison_table(comparison, PAIR_SCORES)
    judged = comparison.judged
    if table.held_out:
        words = (
            f"Held-out: fitted on one part, judged on {count(judged['held_out_target'])} target and "
            f"{count(judged['held_out_source'])} source rows that no method saw, with 95 % intervals; "
            "in-sample beneath. ✓ marks the best in a column, ≈ what this sample cannot tell from it. No "
            "mark goes to collapsed methods, to controls, to methods that use pairs, or to doing nothing "
            "where the source is to be kept. The interval of the centroid gap is for the gap with sampling "
            "noise taken out, so the value itself may lie above it."
        )
    else:
        words = "In-sample only: there are too few rows to hold any out, so nothing is marked as best."
    before = f"<p>{words}</p>{_methods(table)}" if table.rows else "<p>No method could be fitted.</p>"
    if pairs.columns:
        before += f'<h3 class="next">On pairs: is the right row near?</h3>{_methods(pairs)}'
    return _section("compare", "Compare: what each method keeps and reaches", figures=figures, before=before)


def _methods(table: Table) -> str:
    head = "".join(
        f'<th scope="col" title="{text(SCORES[c.score].meaning)}">{text(c.label)}\u00a0{c.arrow}</th>'
        for c in table.columns
    )
    rows = []
    for row in table.rows:
        marks = "".join(f'<span class="badge">{text(badge)}</span>' for badge in row.badges)
        cells = "".join(map(_cell, row.cells))
        name = text(LABELS.get(row.method, row.method))
        rows.append(f'<tr><th scope="row">{name}<br>{marks}</th>{cells}</tr>')
    if any(c.reference is not None for c in table.columns):
        reference = "".join(f"<td>{shown(c.reference)}</td>" for c in table.columns)
        rows.append(f'<tr class="muted"><td>Perfect: target against target</td>{reference}</tr>')
    return (
        '<div class="scroll"><table class="methods"><thead><tr><th scope="col">Method</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        + _details("What these scores mean", _terms(c.score for c in table.columns))
    )


def _cell(cell: Cell) -> str:
    mark = ' class="best"' if cell.best else ' class="tied"' if cell.tied else ""
    value = f"<b>{cell.text}</b>" if cell.best else f"<span>{cell.text}</span>"
    interval = f"<small>{cell.interval}</small>" if cell.interval else ""
    inside = f"<small>in-sample {cell.in_sample_text}</small>" if cell.in_sample is not None else ""
    return f"<td{mark}>{value}{interval}{inside}</td>"


def _data(comparison: Comparison) -> str:
    dataset, settings = comparison.dataset, comparison.settings
    rows = [
        ("Target", dataset.path_target),
        ("Source", dataset.path_source),
        ("Rows", f"{count(dataset.n_target)} target, {count(dataset.n_source)} source"),
        ("Left out", f"{dataset.rows_dropped.target} target, {dataset.rows_dropped.source} source"),
        ("Stored as", f"{dataset.dtype_target}, {dataset.dtype_source}"),
        ("Normalised first", "yes" if comparison.normalize else "no"),
        ("Paired", "yes" if dataset.paired else "no"),
        (
            "Mean cosine of pairs",
            f"{shown(dataset.paired_cosine)}, shuffled {shown(dataset.shuffled_cosine)}",
        ),
        ("Evidence of pairs", f"Z {shown(dataset.pairing_z)}, t {shown(dataset.pairing_t)}"),
        ("Energy of U", f"{settings.energy:g}"),
        ("Neighbours k", str(settings.k)),
        ("Fitted on", f"{settings.split:.0%} of the rows, seed {settings.seed}"),
        ("Bootstrap", f"{settings.bootstrap} resamples"),
        ("Computed", f"on {comparison.device} in {shown(sum(comparison.seconds.values()))} s"),
        ("Program", f"Gapscope {__version__}"),
    ]
    command = command_line(comparison)
    if command:
        again = f"<p>This report again:</p><pre><code>{text(command)}</code></pre>"
    else:
        again = (
            "<p>The rows came from memory, so no command line repeats this; call <code>rc.compare</code>.</p>"
        )
    if left_out(settings):
        again += (
            f"<p>{text(', '.join(left_out(settings)))} had settings of their own, which the command line "
            "does not carry.</p>"
        )
    return (
        f'<section id="data"><h2>Data and command</h2>{again}{_table(("", "this analysis"), rows)}</section>'
    )


def _definitions() -> str:
    return (
        '<section id="definitions"><h2>Definitions</h2>'
        f"{_details('Every figure: meaning, formula, range, source', _terms(TERMS))}</section>"
    )
