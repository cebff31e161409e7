"""Switches an endpoint off when its server is gone or has taken nothing for a day, and says so to its owners."""

from datetime import datetime

from django.db import connection, transaction

from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Person
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint

Off = WebhookEndpoint.Off
State = WebhookDelivery.State

SUBJECT = "Webhook switched off / Webhook 已停用"
TEXT = """\
Your webhook {name} was switched off: {why}.
{url}

What was waiting for it is kept for a week. Mend the server, switch it on under Settings, Webhooks, and choose Replay.

你的 webhook {name} 已停用：{why_zh}。
待傳送的事件保留一星期。請修復伺服器，在「設定」的「Webhooks」重新啟用，再選「重送」。
"""
WHY = {
    Off.GONE: ("the server answered 410 Gone", "伺服器回覆 410 Gone"),
    Off.FAILING: ("it took nothing for a day", "一天內全部傳送失敗"),
}


@transaction.atomic
def switch_off(endpoint_id: int, why: WebhookEndpoint.Off, now: datetime) -> None:
    """It is told nothing more, what waits for it is given up, its customer's owners get a mail; once."""
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, off_since=None).first()
    if endpoint is None:
        return
    endpoint.off_since, endpoint.off_why = now, why
    endpoint.save(update_fields=["off_since", "off_why"])
    give_up_waiting(endpoint)
    words, words_zh = WHY[why]
    text = TEXT.format(name=endpoint.name or endpoint.url, url=endpoint.url, why=words, why_zh=words_zh)
    owners = Person.objects.filter(customer=endpoint.customer_id, role=Person.Role.OWNER, is_active=True)
    for owner in owners.exclude(email=""):
        write_mail(owner.email, SUBJECT, text, now=now)


def switch_off_apart(endpoint_id: int, why: WebhookEndpoint.Off, now: datetime) -> None:
    """The same in a thread of its own, which keeps no connection."""
    try:
        switch_off(endpoint_id, why, now)
    finally:
        connection.close()


def give_up_waiting(endpoint: WebhookEndpoint) -> None:
    """What waits for it is given up; it can be replayed."""
    WebhookDelivery.objects.filter(endpoint=endpoint, state=State.WAITING).update(state=State.GIVEN_UP)
