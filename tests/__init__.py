import pytest

# Where helpers assert something, it is said what was different, as in tests.
pytest.register_assert_rewrite("tests.e2e.campaign", "tests.support.campaign_api")
