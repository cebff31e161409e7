"""Volume tiers: which prices a top-up brings, and for how long (spec S83, S86)."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Customer, Person
from sampan.billing.money import in_pips
from sampan.billing.tables import TopUp, VolumeTier
from sampan.reasons import Reason, Refused

FIRST_TIER = 1
YEARS_KEPT = 1  # a smaller top-up lowers the tier only after that


def tier_of(amount_pips: int) -> int:
    """The tier that a top-up of this much brings."""
    best = VolumeTier.objects.filter(from_pips__lte=amount_pips).order_by("-from_pips").first()
    return best.tier if best else FIRST_TIER


def a_year_before(moment: datetime) -> datetime:
    """The same day and time of the year before; 28 February for the 29th."""
    try:
        return moment.replace(year=moment.year - YEARS_KEPT)
    except ValueError:
        return moment.replace(year=moment.year - YEARS_KEPT, day=28)


def earned_tier(customer_id: int, now: datetime) -> int:
    """What the customer's top-ups have brought: the largest of the last 12 months, else the last one before.

    Bonuses count nothing, and a reversed top-up is as if it had never been.
    """
    kept = TopUp.objects.filter(customer_id=customer_id, state=TopUp.State.CREDITED)
    largest = kept.filter(settled_at__gt=a_year_before(now)).aggregate(pips=Max("amount_pips"))["pips"]
    if largest is None:
        last = kept.order_by("-settled_at", "-pk").first()
        largest = last.amount_pips if last else 0
    return tier_of(largest)


def follow_top_ups(customer: Customer, now: datetime) -> None:
    """Give the customer the tier it has earned; to be called where a top-up is credited or reversed."""
    tier = earned_tier(customer.pk, now)
    if customer.tier != tier:
        customer.tier = tier
        customer.save(update_fields=["tier"])


@transaction.atomic
def change_tiers(from_pips: dict[int, int], *, why: str, by: Person, now: datetime) -> None:
    """Which top-up brings which tier, from the next top-up on; tiers that are not named are no more.

    Raises NotAllowed, and Refused where a higher tier does not begin higher, there is no first one, or no reason.
    """
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    amounts = [from_pips[tier] for tier in sorted(from_pips)]
    if FIRST_TIER not in from_pips or amounts != sorted(set(amounts)) or amounts[0] < 0:
        raise Refused(Reason.TIERS_DISORDERED, "tiers")
    before = {str(each.tier): in_pips(each.from_pips) for each in VolumeTier.objects.order_by("tier")}
    VolumeTier.objects.all().delete()
    VolumeTier.objects.bulk_create([VolumeTier(tier=tier, from_pips=pips) for tier, pips in from_pips.items()])
    after = {str(tier): in_pips(pips) for tier, pips in from_pips.items()}
    record(Act.CHANGE_PRICES, by=by, subject="volume tiers", before=before, after=after, why=why, now=now)
