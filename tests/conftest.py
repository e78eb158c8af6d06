"""pytest's own tool for testing plugins, for tests/test_pytest_plugin.py."""

pytest_plugins = ["pytester"]
