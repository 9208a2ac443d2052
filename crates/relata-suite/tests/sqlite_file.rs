//! The suite on SQLite files: many readers, one writer, statements that wait for the disk on other threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the files are: a folder of this process, which the operating system's own cleaning takes away.
fn fresh() -> relata::Pending<relata::Db> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let folder = std::env::temp_dir().join(format!("relata-suite-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{}.sqlite", NUMBER.fetch_add(1, Ordering::Relaxed)));
    relata::Db::connect(&format!("sqlite:{}", file.display()))
}

relata_suite::suite!(relata_suite::Backend::new(crate::fresh));
