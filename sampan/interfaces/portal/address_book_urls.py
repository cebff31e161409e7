"""The addresses of the address book's pages."""

from django.urls import URLPattern, path

from sampan.interfaces.portal import address_book, address_book_import


def patterns() -> list[URLPattern]:
    """To be called once the converter `id` is registered (urls.py)."""
    return [
        path("address-book/", address_book.address_book, name="address-book"),
        path("address-book.csv", address_book.address_book_csv, name="address-book-csv"),
        path("address-book/import/", address_book_import.import_people, name="address-book-import"),
        path("address-book/people/new/", address_book.person, name="address-book-new"),
        path("address-book/people/<id:number>/", address_book.person, name="address-book-person"),
        path("address-book/groups/new/", address_book.group, name="address-book-new-group"),
        path("address-book/groups/<id:group_id>/", address_book.group, name="address-book-group"),
    ]
