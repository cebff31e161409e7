"""The console's addresses, under /staff/; their names begin with `staff:`."""

from django.urls import path

from sampan.interfaces.staff import audit, home

app_name = "staff"
urlpatterns = [
    path("", home.worklist, name="worklist"),
    path("roles/", home.roles, name="roles"),
    path("audit/", audit.audit, name="audit"),
]
