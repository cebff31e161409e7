"""The addresses of money: balance, top-ups, statement, sub accounts; and the public price pages."""

from django.urls import URLPattern, path

from sampan.interfaces import public
from sampan.interfaces.portal import money, statement, sub_accounts


def patterns() -> list[URLPattern]:
    """To be called once the converter `id` is registered (urls.py)."""
    return [
        path("money/", money.money, name="money"),
        path("money/alert/", money.low_balance, name="low-balance"),
        path("money/receipts/<id:top_up_id>.pdf", money.receipt, name="receipt"),
        path("money/statement/", statement.statement, name="statement"),
        path("money/statement.csv", statement.statement_file, {"kind": "csv"}, name="statement-csv"),
        path("money/statement.xlsx", statement.statement_file, {"kind": "xlsx"}, name="statement-xlsx"),
        path("money/statement.pdf", statement.statement_file, {"kind": "pdf"}, name="statement-pdf"),
        path("money/sub-accounts/", sub_accounts.sub_accounts, name="sub-accounts"),
        path("prices/", public.prices, name="prices"),
        path("prices.csv", public.prices_csv, name="prices-csv"),
        path("coverage/", public.coverage, name="coverage"),
    ]
