"""A query that has nothing escaped is read without the library, to the same end."""

from urllib.parse import parse_qsl

from hypothesis import example, given
from hypothesis import strategies as st

from function_sets import BadQueryError, ListQuery, parse_query


def outcome(query: str | list[tuple[str, str]]) -> ListQuery | str:
    try:
        return parse_query(query)
    except BadQueryError as flaw:
        return str(flaw)


@given(st.text("sla=&;0719-+%é \x00", max_size=20))
@example("s=1=2")
@example("&&l=3&")
@example("s")
@example("%73=1&l=%31")
def test_a_query_is_read_as_the_library_reads_it(query: str) -> None:
    assert outcome(query) == outcome(parse_qsl(query, keep_blank_values=True))
