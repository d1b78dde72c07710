"""Commands on the state repository: `init`, `validate`, `migrate`, `suspend`."""
