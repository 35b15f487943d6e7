"""What was loaded, the settings, and what surrounds the scores in the JSON."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.glossary.term import PROJECT, Term


def _plain(label: str, meaning: str, formula: str = "as read", span: str = "0 or more") -> Term:
    return Term(label, meaning, formula, span, None, PROJECT)


DATASET: dict[str, Term] = {
    "dataset.n_target": _plain(
        "Target rows", "Rows of the target (image) set that are used.", span="2 or more"
    ),
    "dataset.n_source": _plain(
        "Source rows", "Rows of the source (text) set that are used.", span="2 or more"
    ),
    "dataset.provenance_target": _plain(
        "Where the target comes from",
        "Model, digest of its weights and preprocessing, where the file says so.",
        span="an object, or nothing",
    ),
    "dataset.provenance_source": _plain(
        "Where the source comes from",
        "Model, digest of its weights and preprocessing, where the file says so.",
        span="an object, or nothing",
    ),
    "dataset.dim": _plain("Dimension (d)", "Numbers to a row.", span="1 or more"),
    "dataset.paired": _plain(
        "Paired",
        "Whether row i of one set belongs to row i of the other.",
        "Z ≥ 4 and t ≥ 4, or as told",
        "yes or no",
    ),
    "dataset.paired_cosine": _plain(
        "Paired cosine", "Mean cosine of row i with row i.", "mean cᵢᵢ", "−1 to 1"
    ),
    "dataset.shuffled_cosine": _plain(
        "Shuffled cosine", "Mean cosine of rows that are no pair.", "mean cᵢⱼ, i ≠ j", "−1 to 1"
    ),
    "dataset.pairing_z": _plain(
        "Pairing Z",
        "Paired cosine over its spread under permutation; 4 or more is evidence of pairs.",
        "(mean cᵢᵢ − mean cᵢⱼ) / s",
        "any number",
    ),
    "dataset.pairing_t": _plain(
        "Pairing t",
        "The same against rows that lie near in the file, so that sorted classes do not pass for pairs.",
        "one-sample t of cᵢᵢ − mean of 10 near cᵢⱼ",
        "any number",
    ),
    "dataset.groups": _plain(
        "Groups", "Pairs left once rows that share a caption or an image count as one.", "distinct groups"
    ),
    "dataset.rows_dropped": _plain(
        "Rows dropped", "Rows that could not be used, by reason.", "NaN, infinite or zero rows"
    ),
    "dataset.norm_target": _plain(
        "Target norms", "Smallest, mean and largest length of the rows as stored.", "‖x‖"
    ),
    "dataset.norm_source": _plain(
        "Source norms", "Smallest, mean and largest length of the rows as stored.", "‖y‖"
    ),
    "dataset.duplicates_target": _plain("Repeated target rows", "Rows that repeat an earlier one."),
    "dataset.duplicates_source": _plain("Repeated source rows", "Rows that repeat an earlier one."),
    "dataset.dtype_target": _plain("Target type", "Number type of the stored rows.", span="a type"),
    "dataset.dtype_source": _plain("Source type", "Number type of the stored rows.", span="a type"),
    "dataset.path_target": _plain("Target file", "Where the target was read from.", span="a path"),
    "dataset.path_source": _plain("Source file", "Where the source was read from.", span="a path"),
    "dataset.warnings": _plain(
        "Notes", "What to keep in mind when reading these figures.", "sentences", "text"
    ),
    "classes": _plain(
        "Classes of zero-shot",
        "Classes and judged rows that zero-shot accuracy rests on, with what guessing reads: one over the "
        "classes, or the largest class's share.",
        "labels that at least 2 independent pairs carry on each side",
        "counts and shares",
    ),
    "judged": _plain("Rows judged", "Rows of each set that the scores were computed on.", "rows"),
    "reference": _plain(
        "Reference",
        "A score of target rows against other target rows: what a perfect map reads.",
        "held-out target against its fit split",
        "as the score",
    ),
    "methods.in_sample": _plain(
        "In-sample",
        "Fitted and judged on the same rows; flatters what fits closely.",
        "all rows",
        "as the score",
    ),
    "methods.held_out": _plain(
        "Held-out",
        "Fitted on one part, judged on another: what a user can expect.",
        "disjoint rows",
        "as the score",
    ),
    "methods.interval": _plain(
        "95 % interval",
        "Where the held-out score would fall on other rows, the map being given.",
        "percentile bootstrap, or jackknife of 20 groups",
        "as the score",
    ),
    "methods.uses_pairs": _plain(
        "Uses pairs", "The method learns from pairs, which the others never see.", span="yes or no"
    ),
    "methods.adds_noise": _plain(
        "Adds noise", "The method adds random noise when it maps.", span="yes or no"
    ),
    "methods.trained": _plain("Trained", "The method trains a network.", span="yes or no"),
    "methods.collapsed": _plain(
        "Collapsed",
        "The mapped rows have shrunk together, so no score counts for them.",
        "trace ratio under 0.2",
        "yes or no",
    ),
    "methods.differences": _plain(
        "Difference against untouched",
        "What the map changes in retrieval and zero-shot accuracy, held-out. Where the interval leaves out "
        "0, the sample resolves a gain or a loss.",
        "score after the map − score of the untouched source; percentile bootstrap of the difference, both "
        "resampled together",
        "−1 to 1, a share",
    ),
    "methods.all_rows": _plain(
        "Scores against all rows",
        "Retention, omega, mixing and recall of seeded source rows, the queries, among all rows of sets that "
        "are otherwise judged on a sample. The interval is what looking at these rows alone costs.",
        "mean over the queries; percentile bootstrap of their values",
        "0 to 1, a share",
    ),
    "methods.seconds": _plain("Time", "Time to fit and to map.", "wall clock", "seconds"),
    "seconds": _plain("Time", "Time of each stage.", "wall clock", "seconds"),
    "schema_version": _plain("Schema", "Version of this JSON.", span="1"),
    "tool": _plain("Tool", "Program and version that computed this.", span="text"),
    "settings.methods": _plain(
        "Methods", "Methods asked for; none named means all that fit.", "--methods", "names"
    ),
    "settings.paired": _plain("Pairing", "Whether rows were taken for pairs.", "--paired", "auto, yes or no"),
    "settings.max_rows": _plain("Rows read at most", "A seeded sample is read beyond this.", "--max-rows"),
    "settings.energy": _plain("Energy", "Share of pooled variance that U holds.", "--energy", "0 to 1"),
    "settings.k": _plain("Neighbours (k)", "Neighbours that retention looks at.", "--k", "1 or more"),
    "settings.split": _plain(
        "Split", "Share of the rows that methods are fitted on when judged on the rest.", "--split", "0 to 1"
    ),
    "settings.seed": _plain("Seed", "Start of every random choice.", "--seed", "whole number"),
    "settings.device": _plain("Device", "Where it was computed.", "--device", "cpu, cuda or mps"),
    "settings.c3_sigma": _plain(
        "C3 noise", "Noise per coordinate that C3 adds; its own default where empty.", "--c3-sigma"
    ),
    "settings.bootstrap": _plain(
        "Resamples", "Bootstrap resamples behind the intervals.", "--bootstrap", "2 or more"
    ),
    "settings.queries": _plain(
        "Queries",
        "Source rows that are looked up among all rows where methods are judged on a sample; 0 for none.",
        "--queries",
        "whole number, 0 or more",
    ),
    "settings.score_rows": _plain(
        "Rows scored at most", "A seeded sample is judged beyond this.", "a setting", "2 or more"
    ),
    "settings.method_options": _plain(
        "Method options", "Settings of single methods.", "a setting", "by method"
    ),
    "settings.normalize": _plain(
        "Normalised",
        "Whether rows were scaled to length 1 first.",
        "--no-normalize turns it off",
        "yes or no",
    ),
}
