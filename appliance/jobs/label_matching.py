"""From a model's labels to a project's: what people decided, what the names say, what may be meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from appliance.records import Label, Model, Record
from appliance.store.model_labels import LabelChoice

__all__ = ["Match", "Suggestion", "matches"]

_MOST_SUGGESTIONS = 3
_LEAST_LIKENESS = 0.75
_LEAST_CHARS = 4
"""Of shorter words a letter more or less makes another word: cat, car."""

_SYNONYMS = (
    {"person", "human", "pedestrian", "people", "man", "woman", "worker"},
    {"car", "auto", "automobile", "vehicle"},
    {"truck", "lorry"},
    {"motorcycle", "motorbike"},
    {"bicycle", "bike", "cycle"},
    {"airplane", "aeroplane", "aircraft", "plane"},
    {"boat", "ship", "vessel"},
    {"couch", "sofa"},
    {"tv", "television", "tv monitor", "monitor", "screen"},
    {"cell phone", "mobile phone", "phone", "smartphone"},
    {"laptop", "notebook"},
    {"potted plant", "plant", "pot plant"},
    {"dining table", "table"},
    {"traffic light", "stoplight"},
    {"fire hydrant", "hydrant"},
    {"helmet", "hard hat", "hardhat"},
    {"vest", "safety vest", "hi vis vest"},
    {"defect", "fault", "flaw"},
    {"scratch", "scrape"},
    {"cup", "mug"},
)
_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
    "leaves": "leaf",
    "knives": "knife",
}

Why = Literal["same", "words", "synonym", "similar"]


class Suggestion(Record, frozen=True):
    """A label that may be meant: the ``same`` name, the same ``words`` but for case, underscores and
    plural, a ``synonym``, or a ``similar`` spelling."""

    label_id: int
    why: Why
    score: float


class Match(Record, frozen=True):
    """What becomes of one of a model's labels in a project.

    Attributes:
        class_index: Its place in the model.
        name: As the model has it.
        label_id: The project's label its predictions get, or None: they are left out.
        how: Why so: somebody ``chose``, it is ``ignored``, its ``name`` says so, or there is ``none``.
        confidence: What its predictions need; None for what the run asks.
        suggestions: What may be meant, best first.
    """

    class_index: int
    name: str
    label_id: int | None
    how: Literal["chosen", "ignored", "name", "none"]
    confidence: float | None
    suggestions: list[Suggestion]


def matches(model: Model, present: Sequence[Label], chosen: Mapping[int, LabelChoice]) -> list[Match]:
    """Return what becomes of each of a model's labels, by class index.

    Without a choice the same name or the same words decide; synonyms and similar spellings are
    only suggested.
    """
    return [
        _match(index, name.strip(), present, chosen.get(index, LabelChoice(class_index=index)))
        for index, name in enumerate(model.info.labels)
    ]


def _match(index: int, name: str, present: Sequence[Label], choice: LabelChoice) -> Match:
    suggestions = _suggestions(name, present)
    label_id, how = choice.label_id, "chosen"
    if choice.ignored:
        how = "ignored"
    elif label_id is None:
        sure = next((s for s in suggestions if s.why in ("same", "words")), None)
        label_id, how = (sure.label_id, "name") if sure else (None, "none")
    return Match(
        class_index=index,
        name=name,
        label_id=label_id,
        how=how,  # type: ignore[arg-type]
        confidence=choice.confidence,
        suggestions=suggestions,
    )


def _suggestions(name: str, present: Sequence[Label]) -> list[Suggestion]:
    found = []
    for label in present:
        likeness = _likeness(name, label.name)
        if likeness is not None:
            found.append(Suggestion(label_id=label.id, why=likeness[0], score=likeness[1]))
    return sorted(found, key=lambda one: (-one.score, one.label_id))[:_MOST_SUGGESTIONS]


def _likeness(a: str, b: str) -> tuple[Why, float] | None:
    if a.strip() == b.strip():
        return "same", 1.0
    if a.strip().casefold() == b.strip().casefold():
        return "words", 0.99
    one, other = _words(a), _words(b)
    if one == other:
        return "words", 0.98
    if any(one in group and other in group for group in _SYNONYM_WORDS):
        return "synonym", 0.9
    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    if min(len(one), len(other)) >= _LEAST_CHARS and ratio >= _LEAST_LIKENESS:
        return "similar", round(0.85 * ratio, 3)
    return None


def _words(name: str) -> str:
    """Return a name in lower case, its words in the singular with one blank between."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(_singular(word) for word in re.split(r"[\W_]+", spaced.casefold()) if word)


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_SYNONYM_WORDS = tuple({_words(word) for word in group} for group in _SYNONYMS)
