HAPPENED = "test.happened"
