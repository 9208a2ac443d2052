//! The one body of tests that every backend of relata runs.
//!
//! A backend is tested by one line, [`suite!`], in a test file of its own; it gives a fresh, empty database for each
//! test. Tests prove effects: rows, statements, counts, object identity.
//!
//! Invariant: every public test function is in the list of [`suite!`]; a unit test compares the two.

pub mod access;
pub mod apart;
pub mod associations;
pub mod blog;
pub mod both_ways;
pub mod callbacks;
pub mod collections;
pub mod default_orders;
pub mod dependents;
pub mod depths;
pub mod eager;
pub mod hidden;
pub mod keys;
pub mod locking;
pub mod partly_read;
pub mod per_owner;
pub mod queries;
pub mod reading;
pub mod reentry;
pub mod refusals;
pub mod relations;
pub mod saving;
pub mod shop;
pub mod sql_joins;
pub mod trees;
pub mod updates;
pub mod validations;
pub mod variants;

use std::sync::{Mutex, PoisonError};

use relata::db::Figures;
use relata::{Db, Pending};

/// A database under test.
pub struct Backend {
    /// What one test opened, and what it held before anything was done with it. Closed before what `connect` holds goes.
    opened: Mutex<Vec<(Db, Figures)>>,
    connect: Box<dyn Fn() -> Pending<Db> + Send + Sync>,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend")
            .field("opened", &self.opened)
            .finish_non_exhaustive()
    }
}

impl Backend {
    /// A backend of which `connect` gives a fresh, empty database. What it holds goes after the databases.
    #[must_use]
    pub fn new(connect: impl Fn() -> Pending<Db> + Send + Sync + 'static) -> Self {
        Self {
            opened: Mutex::default(),
            connect: Box::new(connect),
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
            collections { pushing_to_a_saved_owner_saves_at_once
                a_push_that_fails_writes_nothing_and_keeps_the_records
                a_new_owner_keeps_everything_in_memory
                deleting_sets_keys_to_null_with_one_statement
                deleting_where_the_key_cannot_be_null_says_what_to_do
                destroying_takes_the_rows
                destroying_several_is_all_or_none
                emptying_loads_nothing
                replacing_writes_the_difference
                a_replacement_that_fails_leaves_rows_and_memory
                every_statement_of_a_replacement_may_fail
                ids_are_read_alone_remembered_and_replaced
                sizes_ask_as_little_as_rails_does
                members_are_found_in_memory_where_memory_knows_more
                a_scope_gives_its_values_to_what_is_made_through_it
                collections_are_written_by_name
                rows_go_into_a_collection_with_one_statement }
            variants { a_collection_is_asked_and_written_in_every_way
                first_or_create_sees_unsaved_members
                changes_are_told_and_taken_back_by_name
                attributes_are_updated_by_name }
            eager { includes_that_a_condition_names_are_joined
                includes_that_sql_names_are_joined_when_that_is_said
                eager_loading_is_one_query
                a_limit_of_an_eager_load_counts_records
                records_that_are_there_are_given_what_they_lack
                relations_do_by_name_what_they_do_by_type }
            default_orders { an_order_by_default_gives_way
                an_association_has_an_order_by_default }
            per_owner { each_owner_has_its_first_rows_by_one_statement
                siblings_do_not_share_a_limit
                first_rows_through_others_and_of_polymorphic_ones
                a_preload_is_narrowed_where_it_is_asked_for
                owners_are_told_apart_by_all_columns_of_their_key
                what_cannot_be_numbered_is_refused
                records_at_hand_are_not_asked_for }
            hidden { a_hidden_row_is_locked_written_and_read_again
                uniqueness_sees_hidden_rows
                a_dup_has_times_of_its_own_and_is_initialized
                a_compact_copy_keeps_the_terms_of_its_record
                a_column_that_was_not_selected_is_read_set_and_saved
                errors_of_a_collection_name_owner_and_association
                rows_are_not_inserted_for_a_new_owner
                a_new_record_has_no_row_to_read_again
                half_of_many_members_leave_in_one_walk }
            partly_read { a_typed_record_has_all_of_its_columns
                a_typed_callback_is_not_given_what_was_not_read }
            both_ways { a_collection_is_read_by_the_same_statements
                an_association_is_read_again_by_name
                members_leave_by_the_same_statements
                what_is_built_by_name_is_saved_with_its_owner
                a_changed_target_is_told_by_name
                a_relation_gives_values_by_name
                a_table_that_sql_names_is_joined
                upserts_name_index_and_columns
                a_collection_upserts_its_rows
                groups_are_kept_by_their_least }
            sql_joins { a_join_in_sql_holds_whatever_is_asked
                rows_that_a_join_in_sql_finds_are_written
                a_join_in_sql_is_part_of_its_relation }
            reentry { an_after_commit_that_saves_without_end_is_told
                a_callback_that_runs_itself_without_end_is_told
                a_callback_that_runs_itself_until_it_is_done_is_not }
            keys { a_key_of_several_columns_finds_one_row
                targets_are_found_by_all_columns_of_a_key
                members_come_and_go_by_all_columns_of_a_key
                what_depends_on_an_owner_goes_by_all_columns_of_its_key
                a_parent_gives_all_columns_of_its_key
                one_column_refers_to_the_id_in_a_key_of_several
                query_constraints_stand_in_every_statement_of_a_record }
            saving { replacing_a_has_one_saves_at_once
                a_has_one_that_cannot_be_replaced_stays
                every_statement_of_replacing_a_has_one_may_fail
                a_has_one_set_in_memory_takes_its_place_with_the_owner
                creating_a_has_one_takes_the_old_one_out
                a_belongs_to_that_is_created_is_assigned_valid_or_not
                an_invalid_new_parent_is_left_out_or_refused
                new_members_are_validated_with_their_owner_unless_told_otherwise
                autosave_saves_what_changed_and_destroys_what_is_marked
                autosave_reaches_over_levels_and_to_parents
                autosave_off_saves_no_target
                a_graph_of_twenty_is_saved_once_or_not_at_all
                what_is_set_to_null_is_written_as_null
                a_default_is_no_change
                strict_records_are_validated
                setters_of_text_take_every_text
                times_are_kept_by_name_or_not_at_all }
            updates { columns_are_written_past_validation
                counters_are_added_to_in_the_database
                an_update_that_finds_no_row_is_an_error
                a_row_is_read_again_when_it_is_locked
                all_rows_of_a_relation_are_updated_at_once
                what_was_written_set_wise_is_not_taken_for_up_to_date
                many_rows_are_deleted_or_destroyed
                rows_are_inserted_skipped_or_updated
                more_rows_than_one_statement_can_bind_are_one_transaction
                a_record_is_found_or_made
                a_second_save_waits_for_the_first }
            access { a_saved_record_keeps_its_readonly_attributes
                readonly_attributes_by_name_are_refused_where_they_are_set
                values_are_normalised_where_they_are_set_and_asked_for
                labels_are_predicates_setters_and_scopes
                an_enum_is_set_and_read_by_its_labels
                a_default_scope_is_left_out_on_request
                enums_and_scopes_are_made_at_run_time
                scopes_are_methods_of_relations_and_collections
                a_record_becomes_one_of_another_model }
            locking { a_stale_record_is_not_written
                a_version_comes_back_with_a_rollback
                a_version_may_be_null_or_have_another_name
                what_is_written_set_wise_counts_versions
                a_parent_that_counts_follows_in_memory
                a_version_that_was_set_is_asked_for
                models_made_at_run_time_are_locked }
            queries { conditions_in_closures_and_by_name_are_the_same
                shapes_in_closures_and_by_name_are_the_same
                reading_in_closures_and_by_name_is_the_same
                what_records_lead_to_is_extracted }
            reading { rows_come_in_the_order_of_a_list_of_any_length
                none_is_none_wherever_it_stands
                a_scope_of_nothing_leads_to_nothing
                what_is_combined_is_kept_or_refused
                a_count_is_that_of_the_rows_that_are_given
                distinct_rows_beyond_an_offset_exist
                a_limit_gives_way_to_take_and_to_nothing_else
                keys_of_joined_records_come_once
                scopes_that_join_are_joined
                rows_of_sql_are_narrowed_counted_and_walked
                batches_give_every_record_once_or_refuse
                case_is_ignored_by_the_database_on_both_sides
                conditions_are_chained_to_any_length }
            refusals { a_null_is_no_empty_value
                what_cannot_be_held_is_told_by_its_attribute
                what_cannot_be_held_is_told_by_its_attribute_set_wise
                a_record_that_was_read_without_its_key_says_so
                what_is_asked_of_the_other_sort_of_association_is_refused
                what_is_refused_is_refused_set_wise_too
                a_page_begins_after_a_key_of_the_models_type }
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
            apart { what_is_not_joined_is_asked_for_hop_by_hop
                what_is_not_joined_stands_in_the_order_of_what_is_on_the_way
                ways_of_any_length_are_not_joined
                what_is_not_joined_is_read_for_siblings_together
                siblings_share_what_is_on_the_way
                what_is_not_joined_is_preloaded_with_its_scopes
                what_is_not_joined_is_otherwise_as_any_through
                joins_are_disabled_at_run_time }
            depths { each_row_of_a_tree_has_a_depth
                the_depth_is_that_of_the_shortest_way
                depths_end_where_rows_lead_to_each_other
                depths_of_wide_keys_and_by_name
                what_is_no_tree_has_no_depth
                computed_values_order_groups }
            trees { a_tree_is_read_downwards_and_upwards
                a_tree_is_a_relation_as_any_other
                a_tree_begins_with_the_rows_of_its_relation
                scopes_hold_for_each_step_of_a_tree
                a_tree_may_have_so_many_steps
                rows_that_lead_to_each_other_are_no_endless_tree
                a_tree_is_known_by_all_columns_of_its_key
                trees_are_read_by_name }
            callbacks { a_graph_is_saved_in_the_order_of_rails
                aborting_halts_and_writes_nothing
                an_around_callback_surrounds
                commit_callbacks_run_once_for_what_stands
                records_announce_that_they_were_made_and_read
                what_a_save_runs_can_be_read
                a_collection_tells_who_comes_and_goes }
            dependents { destroying_goes_down_in_the_order_of_declaration
                what_refuses_keeps_the_owner
                every_statement_of_a_destruction_may_fail
                members_leave_as_dependent_says
                a_counter_follows_its_rows
                a_counter_is_never_overwritten
                the_size_of_a_collection_is_its_counter
                counters_can_be_corrected
                a_touch_goes_up_once_a_transaction
                a_touch_that_waits_outlives_no_savepoint
                two_that_touch_each_other_end
                a_row_that_others_refer_to_says_what_to_do
                a_default_fills_a_missing_parent_in }
            validations { each_rule_says_what_rails_says
                problems_have_kinds_and_options
                a_strict_validation_fails_at_once
                contexts_choose_validations
                uniqueness_asks_and_the_index_keeps_it
                members_are_validated_with_their_owner
                messages_can_be_replaced }
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
            ("callbacks", include_str!("callbacks.rs")),
            ("collections", include_str!("collections.rs")),
            ("eager", include_str!("eager.rs")),
            ("dependents", include_str!("dependents.rs")),
            ("default_orders", include_str!("default_orders.rs")),
            ("per_owner", include_str!("per_owner.rs")),
            ("queries", include_str!("queries.rs")),
            ("reading", include_str!("reading.rs")),
            ("refusals", include_str!("refusals.rs")),
            ("relations", include_str!("relations.rs")),
            ("saving", include_str!("saving.rs")),
            ("apart", include_str!("apart.rs")),
            ("depths", include_str!("depths.rs")),
            ("trees", include_str!("trees.rs")),
            ("updates", include_str!("updates.rs")),
            ("validations", include_str!("validations.rs")),
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
