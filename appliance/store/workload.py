"""Who has how much to do in a project, for those who deal work out."""

from typing import Any

from appliance.records import ProjectRole, Record
from appliance.store import members
from appliance.store.store import Reading

__all__ = ["Load", "of_project"]

_COUNT = "SELECT count(*) FROM tasks INDEXED BY {} WHERE {} LIMIT 1"


class Load(Record, frozen=True):
    """One person's work in a project, or nobody's.

    Attributes:
        user_id: None for what is nobody's.
        name: Empty for nobody.
        role: None for nobody, and for who is no member any more.
        assigned: Open and given to them by hand; of nobody, all that is open to anybody.
        begun: In their hands: their lease runs, or it was assigned to them.
        abandoned: Begun, but their lease ran out: whoever asks next gets it.
        returned: Returned to them and not taken up yet.
        overdue: Of these, past their due date.
        skipped: Put aside by them.
        to_review: Open before them for review.
    """

    user_id: int | None
    name: str
    role: ProjectRole | None
    assigned: int
    begun: int
    abandoned: int
    returned: int
    overdue: int
    skipped: int
    to_review: int


def of_project(reading: Reading, project_id: int, now_ms: int) -> list[Load]:
    """Return what each member has, and what is nobody's, last."""
    people = [
        _load(reading, project_id, now_ms, one.user_id, one.name, one.role)
        for one in members.listed(reading, project_id)
    ]
    return [*people, _load(reading, project_id, now_ms, None, "", None)]


def _load(
    reading: Reading, project_id: int, now_ms: int, user_id: int | None, name: str, role: ProjectRole | None
) -> Load:
    whose = (user_id, project_id)

    def count(index: str, where: str, *parameters: Any) -> int:
        ((number,),) = list(reading.execute(_COUNT.format(index, where), parameters))
        return int(number)

    def held(state: str) -> int:
        if user_id is None:
            index = {"open": "tasks_oldest", "returned": "tasks_returned"}[state]
            return count(index, f"project_id = ? AND state = '{state}' AND assignee_id IS NULL", project_id)
        return count("tasks_holder", "assignee_id = ? AND project_id = ? AND state = ?", *whose, state)

    begun = abandoned = skipped = to_review = 0
    if user_id is not None:
        begun, skipped = held("in_progress"), held("skipped")
        lost = "project_id = ? AND state = 'in_progress' AND assigned = 0 AND lease_until_ms < ? AND assignee_id = ?"
        abandoned = count("tasks_abandoned", lost, project_id, now_ms, user_id)
        reviewing = "reviewer_id = ? AND state = 'in_review' AND project_id = ? AND lease_until_ms >= ?"
        to_review = count("tasks_reviewer", reviewing, *whose, now_ms)
    late = (
        "project_id = ? AND due_at_ms < ? AND due_at_ms IS NOT NULL AND state IN ('open', 'in_progress', 'returned')"
    )
    return Load(
        user_id=user_id,
        name=name,
        role=role,
        assigned=held("open"),
        begun=begun - abandoned,
        abandoned=abandoned,
        returned=held("returned"),
        overdue=count("tasks_due", f"{late} AND assignee_id IS ?", project_id, now_ms, user_id),
        skipped=skipped,
        to_review=to_review,
    )
