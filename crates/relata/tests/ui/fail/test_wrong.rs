//! Tests that are not async, take no database, or have unknown options.

use relata::Db;

#[relata::test]
fn not_async(db: Db) {}

#[relata::test]
async fn without_database() {}

#[relata::test(file)]
fn opens_what_it_needs_itself() {}

#[relata::test(memory)]
async fn in_memory(db: Db) {}

#[relata::test(flie)]
async fn misspelled(db: Db) {}

#[relata::test]
pub struct NoTest;

fn main() {}
