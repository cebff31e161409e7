"""The console's addresses, under /staff/; their names begin with `staff:`."""

from django.urls import path

from sampan.interfaces.staff import (
    audit,
    china,
    compliance,
    customers,
    doubts,
    home,
    operators,
    routes,
    schedules,
    security,
)

app_name = "staff"
urlpatterns = [
    path("", home.worklist, name="worklist"),
    path("security/", security.own_security, name="security"),
    path("security/second-factor/", security.second_factor, name="second-factor"),
    path("roles/", home.roles, name="roles"),
    path("audit/", audit.audit, name="audit"),
    path("customers/", customers.customers, name="customers"),
    path("customers/<id:customer_id>/", customers.customer, name="customer"),
    path("customers/<id:customer_id>/messages/", customers.messages, name="messages"),
    path("customers/<id:customer_id>/abuse-case/", customers.abuse_case, name="abuse-case"),
    path("messages/<id:message_id>/", customers.message, name="message"),
    path("customers/<id:customer_id>/purpose/", compliance.purpose, name="purpose"),
    path("register/", compliance.register, name="register"),
    path("china/words/", china.word_library, name="words"),
    path("china/words.txt", china.words_file, name="words-file"),
    path("china/numbers/", china.number_lists, name="china-numbers"),
    path("china/signatures/", china.signature_list, name="signatures"),
    path("china/signatures/<id:signature_id>/", china.signature, name="signature"),
    path("unknown/", doubts.unknown, name="unknown"),
    path("unknown/<id:message_id>/", doubts.settle, name="settle"),
    path("receipts/", doubts.strays, name="strays"),
    path("receipts/<id:receipt_id>/", doubts.stray, name="stray"),
    path("schedules/", schedules.schedules, name="schedules"),
    path("schedules/<id:batch_id>/", schedules.schedule, name="schedule"),
    path("operators/", operators.operators, name="operators"),
    path("operators/live/", operators.operators_live, name="operators-live"),
    path("operators/new/", operators.new_operator, name="new-operator"),
    path("operators/<id:operator_id>/", operators.operator, name="operator"),
    path("operators/<id:operator_id>/links/new/", operators.new_link, name="new-link"),
    path("links/<id:link_id>/", operators.link, name="link"),
    path("sending/", operators.sending, name="sending"),
    path("routes/", routes.routes, name="routes"),
    path("routes/<id:route_id>/", routes.route, name="route"),
    path("destinations/new/", routes.destination, name="new-destination"),
    path("destinations/<id:destination_id>/", routes.destination, name="destination"),
]
