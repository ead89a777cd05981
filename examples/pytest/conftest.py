pytest_plugins = ["conftest_merlon"]
