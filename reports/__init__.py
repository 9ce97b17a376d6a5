"""Values into files that people keep: spreadsheets. Values in, bytes out; no database, no pages."""
