"""The addresses of batches: their pages, what is done to them, what waits, recurs or was begun."""

from django.urls import URLPattern, path

from sampan.interfaces.portal import (
    batch,
    batch_acts,
    change,
    draft_list,
    quiet_hours,
    recurring,
    resend,
    results,
    scheduled,
)


def patterns() -> list[URLPattern]:
    """To be called once the converter `id` is registered (urls.py)."""
    return [
        path("batches/<id:batch_id>/", batch.batch, name="batch"),
        path("batches/<id:batch_id>/progress/", batch.batch_progress, name="batch-progress"),
        path("batches/<id:batch_id>/stop/", batch_acts.stop, name="stop"),
        path("batches/<id:batch_id>/change/", change.change, name="change"),
        path("batches/<id:batch_id>/resend/", resend.resend, name="resend"),
        path("results/resend/", results.resend_of_search, name="resend-which"),
        path("scheduled/", scheduled.scheduled, name="scheduled"),
        path("recurring/", recurring.recurrences, name="recurrences"),
        path("recurring/<id:recurrence_id>/", recurring.recurrence, name="recurrence"),
        path("account/quiet-hours/", quiet_hours.quiet_hours, name="quiet-hours"),
        path("drafts/", draft_list.draft_list, name="drafts"),
        path("drafts/<uuid:draft_id>/delete/", draft_list.delete_draft, name="delete-draft"),
    ]
