//! The suite on SQLite in memory.

relata_suite::suite!(relata_suite::Backend::new(|| relata::Db::connect(
    "sqlite::memory:"
)));
