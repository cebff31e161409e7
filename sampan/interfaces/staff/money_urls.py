"""The console's addresses of money."""

from django.urls import URLPattern, path

from sampan.interfaces.staff import money, prices, purse


def patterns() -> list[URLPattern]:
    """Made when the converters of urls.py are known."""
    return [
        path("top-ups/", money.filed, name="top-ups"),
        path("top-ups/<id:top_up_id>/", money.top_up, name="top-up"),
        path("entries/", money.waiting_entries, name="entries"),
        path("entries/<id:entry_id>/", money.entry, name="entry"),
        path("books/", money.books, name="books"),
        path("platform/", purse.platform, name="platform"),
        path("prices/", prices.prices, name="prices"),
        path("prices/tiers/", prices.tiers, name="tiers"),
        path("prices.csv", prices.prices_file, name="prices-file"),
        path("customers/<id:customer_id>/money/", purse.purse, name="purse"),
        path("customers/<id:customer_id>/money/enter/", purse.enter, name="enter-money"),
        path("customers/<id:customer_id>/money/file/", purse.file_top_up, name="file-top-up"),
        path("customers/<id:customer_id>/group/", purse.group, name="group"),
        path("customers/<id:customer_id>/certificate/", purse.certificate, name="certificate"),
        path("customers/<id:customer_id>/prices/", prices.own_prices, name="own-prices"),
        path("customers/<id:customer_id>/prices.csv", prices.own_prices_file, name="own-prices-file"),
    ]
