"""The console's addresses, under /staff/; their names begin with `staff:`."""

from django.urls import path

from sampan.interfaces.staff import audit, home, security

app_name = "staff"
urlpatterns = [
    path("", home.worklist, name="worklist"),
    path("security/", security.own_security, name="security"),
    path("security/second-factor/", security.second_factor, name="second-factor"),
    path("roles/", home.roles, name="roles"),
    path("audit/", audit.audit, name="audit"),
]
