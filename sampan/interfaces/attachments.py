"""Files of strangers given back: always to be saved, never shown within a page of ours."""

from urllib.parse import quote

from django.http import HttpResponse

from sampan.accounts.tables import Document


def attachment(document: Document, octets: bytes) -> HttpResponse:
    """The download. The browser is told its kind, and to believe nothing else."""
    response = HttpResponse(octets, content_type=document.media_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(document.file_name)}"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
