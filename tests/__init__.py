"""The tests, a package of its own name: one of the studies' data packages brings another `tests`."""
