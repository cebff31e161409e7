"""The references of long texts: two to one handset never clash while both are in flight (spec S23)."""

from sampan.dispatch.references import REFERENCES, References


def test_two_hundred_and_fifty_six_long_texts_to_one_handset_have_as_many_references() -> None:
    references = References()
    given = [references.next(85261234567) for _ in range(REFERENCES)]
    assert sorted(given) == list(range(REFERENCES))


def test_what_goes_to_others_in_between_uses_none_of_them_up() -> None:
    references = References()
    given = []
    for _ in range(REFERENCES):
        given.append(references.next(85261234567))
        references.next(85290000000)
    assert len(set(given)) == REFERENCES
