//! The one body of tests that every backend of relata runs.
//!
//! A backend is tested by one line, [`suite!`], in a test file of its own; it gives a fresh, empty database for each
//! test. Tests prove effects: rows, statements, counts, object identity.
//!
//! Invariant: every public test function is in the list of [`suite!`]; a unit test compares the two.

pub mod associations;
pub mod blog;
pub mod relations;

use std::sync::{Mutex, PoisonError};

use relata::db::Figures;
use relata::{Db, Pending};

/// A database under test.
#[derive(Debug)]
pub struct Backend {
    connect: fn() -> Pending<Db>,
    /// What one test opened, and what it held before anything was done with it.
    opened: Mutex<Vec<(Db, Figures)>>,
}

impl Backend {
    /// A backend of which `connect` gives a fresh, empty database.
    #[must_use]
    pub fn new(connect: fn() -> Pending<Db>) -> Self {
        Self {
            connect,
            opened: Mutex::default(),
        }
    }

    /// A fresh, empty database. What the test leaves open in it is found at its end.
    ///
    /// # Errors
    /// What connecting gives.
    pub async fn open(&self) -> relata::Result<Db> {
        let db = (self.connect)().await?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push((db.clone(), db.figures()));
        Ok(db)
    }
}

/// Runs one test of the suite, and asserts that it left no lease and no transaction.
pub fn run<F>(backend: &Backend, test: F)
where
    F: Future<Output = relata::Result<()>>,
{
    if let Err(error) = relata::run(test) {
        panic!("{error:?}");
    }
    let opened = backend
        .opened
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    assert!(!opened.is_empty(), "the test opened no database");
    for (db, idle) in opened.iter() {
        assert_eq!(db.figures(), *idle, "left a lease or a transaction open");
    }
}

/// Makes a test of every function of the suite, for one backend: `relata_suite::suite!(BACKEND)`.
#[macro_export]
macro_rules! suite {
    ($backend:expr) => {
        $crate::tests! { $backend,
            associations { a_target_is_read_once_and_is_one_object
                a_target_goes_stale_with_its_key
                nothing_is_asked_where_nothing_can_be_found
                assigning_takes_the_key_and_saves_nothing
                an_unsaved_graph_is_saved_with_its_keys
                a_failed_graph_leaves_rows_and_memory_as_they_were
                building_and_creating_in_collections
                pushing_moves_records_and_saves_them_together
                has_one_is_read_built_and_created
                validations_name_the_attribute_and_write_nothing
                what_is_added_to_the_errors_stands_until_the_next_validation
                a_column_without_a_value_is_left_to_the_database
                what_changed_is_known_before_and_after_saving
                batching_takes_siblings_along_and_can_be_turned_off
                an_unread_sibling_is_loaded_again_after_a_write
                handles_keep_what_is_linked
                an_owner_that_is_asked_twice_does_not_stand_for_its_sibling
                a_large_batch_is_loaded_by_one_and_then_the_rest
                a_collection_reloaded_again_and_again_keeps_what_it_replaced
                unsaved_members_stay_behind_those_that_are_loaded
                everything_is_send }
            relations { conditions_are_written_as_rails_writes_them
                conditions_find_the_rows_they_say
                the_find_family_gives_rows_options_and_errors
                calculations_and_values
                batches_give_every_row_once
                rows_are_found_by_presence_and_in_the_order_of_a_list
                includes_load_each_association_once
                two_children_under_one_parent_and_diamonds_load_once
                duplicated_owners_in_one_result_each_get_their_children
                a_readonly_relation_gives_records_that_refuse_to_be_saved
                strict_records_refuse_lazy_loading_and_say_what_to_do }
        }
    };
}

/// Makes the tests that are listed.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ($backend:expr, $($module:ident { $($name:ident)* })*) => {$(
        mod $module {
            $(#[test]
            fn $name() {
                let backend = $backend;
                $crate::run(&backend, $crate::$module::$name(&backend));
            })*
        }
    )*};
}

#[cfg(test)]
mod listed {
    #[test]
    fn every_test_is_in_the_list() {
        let list = include_str!("lib.rs");
        for (module, source) in [
            ("associations", include_str!("associations.rs")),
            ("relations", include_str!("relations.rs")),
        ] {
            for line in source.lines() {
                let Some(rest) = line.strip_prefix("pub async fn ") else {
                    continue;
                };
                let name = rest.split('(').next().unwrap_or_default();
                assert!(
                    list.lines()
                        .any(|line| line.split_whitespace().any(|word| word == name)),
                    "{module}::{name} is not in suite!"
                );
            }
        }
    }
}
