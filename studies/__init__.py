"""Studies that come along: one commented file a lesson, what each should show, and a runner that checks it."""
