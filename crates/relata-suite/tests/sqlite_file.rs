//! The suite on SQLite files: many readers, one writer, statements that wait for the disk on other threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use relata_suite::Backend;

/// The folder of one test's files; it goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind fails no test.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn files() -> Backend {
    static FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let name = format!("relata-suite-{}-{number}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&folder.0).unwrap();
    let files = AtomicUsize::new(0);
    Backend::new(move || {
        let number = files.fetch_add(1, Ordering::Relaxed);
        let file = folder.0.join(format!("{number}.sqlite"));
        relata::Db::connect(&format!("sqlite:{}", file.display()))
    })
}

relata_suite::suite!(crate::files());
