"""Looking after studies: how they stand, going on, starting over, clearing up, checking the ground they stand on."""
