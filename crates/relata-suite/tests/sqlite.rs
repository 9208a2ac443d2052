//! The suite on SQLite in memory.

relata_suite::suite!(relata_suite::Backend {
    connect: || relata::Db::connect("sqlite::memory:")
});
