"""Whatever somebody may send."""

from hypothesis import HealthCheck, settings, strategies as st

fast = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

#: Text with all that hurts: NUL, lone halves of pairs, letters beyond the first plane, formulas, markup.
text = st.text(st.characters() | st.sampled_from("\0\ud800\udfff\U0001f3ab=<'\"%\\"), max_size=20)
numbers = st.integers() | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400]) | st.floats()
scalars = st.none() | st.booleans() | numbers | text
anything = st.recursive(
    scalars, lambda children: st.lists(children, max_size=4) | st.dictionaries(text, children, max_size=4), max_leaves=8
)

DEEP = b"[" * 100_000
