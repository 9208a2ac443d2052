//! Links: that they lead where they should, and hold no more than they must.

use super::*;
use crate::attribute::Value;

fn table(targets: &[Record], places: &[(u32, u32)]) -> Links {
    Links {
        targets: targets.to_vec(),
        index: Index::One(
            places
                .iter()
                .map(|&(batch, row)| Place { batch, row })
                .collect(),
        ),
        missing: None,
        unread_since: None,
    }
}

#[test]
fn a_replaced_target_is_freed() {
    let model = model("Replaced");
    let hub = record(model, 0);
    for number in 1..=100 {
        depend(&hub, &record(model, number));
        assert!(is_intact(&one(&hub, ONE).unwrap()));
        assert_eq!(live(model), 2);
    }
    hub.unlink(ONE);
    assert_eq!(live(model), 1);
}

#[test]
fn two_links_to_one_target_hold_it_until_both_are_gone() {
    let model = model("TwoLinks");
    let hub = record(model, 0);
    let target = record(model, 1);
    depend(&hub, &target);
    hub.link_one(OTHER, Some(&target), &[], Tie::Depend);
    drop(target);
    hub.unlink(ONE);
    assert_eq!(live(model), 2);
    assert!(is_intact(&one(&hub, OTHER).unwrap()));
    hub.link_one(OTHER, None, &[], Tie::Depend);
    assert_eq!(live(model), 1);
    // The same target again and again is one link.
    let target = record(model, 2);
    (0..10).for_each(|_| depend(&hub, &target));
    hub.unlink(ONE);
    drop(target);
    assert_eq!(live(model), 1);
}

#[test]
fn a_target_does_not_collect_what_leads_to_it() {
    let model = model("Target");
    let hub = record(model, 0);
    for round in 1..=100 {
        let batch = rows(model, round..round + 3);
        assert!(batch[0].publish(
            ONE,
            table(std::slice::from_ref(&hub), &[(0, 0); 3]),
            Tie::Depend
        ));
        let single = record(model, round);
        depend(&single, &hub);
        assert!(one(&batch[2], ONE).unwrap().is(&hub) && one(&single, ONE).unwrap().is(&hub));
    }
    assert_eq!(live(model), 1);
    assert_eq!(hub.graph.batch_count(), 1);
}

#[test]
fn a_link_over_united_graphs_is_given_back() {
    let model = model("GivenBack");
    // The target's graph is merged into a larger one after the link was made, then into the owner's.
    let hub = record(model, 0);
    let (target, larger) = (record(model, 1), rows(model, 10..12));
    let beside = larger[0].blank_beside(model);
    depend(&hub, &target);
    unite(&target, &larger[0]);
    drop((target, larger, beside));
    assert!(is_intact(&one(&hub, ONE).unwrap()));
    hub.unlink(ONE);
    assert_eq!(live(model), 1);

    let target = record(model, 2);
    depend(&hub, &target);
    unite(&hub, &target);
    drop(target);
    assert!(is_intact(&one(&hub, ONE).unwrap()) && is_intact(&one(&hub, OTHER).unwrap()));
    depend(&hub, &record(model, 3));
    assert!(hub.graph.faults().is_empty());
    drop(hub);
    assert_eq!(live(model), 0);
}

#[test]
fn handles_stay_valid_after_uniting() {
    let model = model("Handles");
    let records: Vec<Record> = (0..200).map(|number| record(model, number)).collect();
    for pair in records.windows(2) {
        unite(&pair[0], &pair[1]);
    }
    let (first, last) = (records[0].clone(), records[199].clone());
    drop(records);
    assert_eq!(first.graph.batch_count(), 200);
    assert!(is_intact(&first) && is_intact(&last));
    let mut at = first.clone();
    while let Some(next) = one(&at, OTHER) {
        at = next;
        assert!(is_intact(&at));
    }
    assert!(at.is(&last));
    drop((first, last));
    assert_eq!(live(model), 200);
    drop(at);
    assert_eq!(live(model), 0);
}

#[test]
fn a_table_is_published_once_and_leaves_nothing_of_a_second() {
    let model = model("Published");
    let batch = rows(model, 0..4);
    let targets = [rows(model, 10..12).remove(0), record(model, 20)];
    let places = [(0, 1), (1, 0), (u32::MAX, 0), (7, 9)];
    assert!(batch[0].publish(ONE, table(&targets, &places), Tie::Depend));
    assert!(!batch[1].publish(ONE, table(&[record(model, 30)], &[(0, 0); 4]), Tie::Depend));
    assert!(!batch[1].publish(ONE, table(&[record(model, 31)], &[(0, 0); 4]), Tie::Unite));
    drop(targets);
    assert_eq!(live(model), 3);
    assert_eq!(one(&batch[0], ONE).unwrap().read::<i64>(ID), 11);
    assert_eq!(one(&batch[1], ONE).unwrap().read::<i64>(ID), 20);
    assert!(batch[2..].iter().all(|row| one(row, ONE).is_none()));
    // A row beyond its batch is blank, not foreign memory.
    let wild = rows(model, 0..1).remove(0);
    assert!(wild.publish(
        ONE,
        table(std::slice::from_ref(&wild), &[(0, 5)]),
        Tie::Unite
    ));
    let beyond = one(&wild, ONE).unwrap();
    assert_eq!(
        (beyond.read::<i64>(ID), beyond.read::<String>(NAME)),
        (0, "")
    );
}

#[test]
fn members_are_told_one_by_one_and_all_at_once() {
    let model = model("Members");
    let hub = record(model, 0);
    let members: Vec<Record> = (1..10).map(|number| record(model, number)).collect();
    let numbers = |hub: &Record| -> Vec<i64> {
        let found = hub.linked_many(MANY, |_| true);
        assert!(!found.loaded && found.records.iter().all(is_intact));
        found.records.iter().map(|it| it.read::<i64>(ID)).collect()
    };
    hub.link_member(MANY, &members[0]);
    assert_eq!(numbers(&hub), [1]);
    hub.link_many(MANY, &members[..4], false);
    for member in &members[4..] {
        hub.link_member(MANY, member);
    }
    assert_eq!(numbers(&hub), (1..10).collect::<Vec<_>>());
    hub.unlink(MANY);
    hub.link_member(MANY, &members[1]);
    assert_eq!(numbers(&hub), [2], "what was forgotten does not come back");
    drop(members);
    assert_eq!(numbers(&hub), [2]);
}

#[test]
fn an_association_that_is_not_there_is_unknown() {
    let model = model("NoLink");
    let (hub, target) = (record(model, 0), record(model, 1));
    for association in [3, 64, usize::MAX] {
        hub.link_one(association, Some(&target), &[], Tie::Depend);
        assert!(!hub.publish(association, table(&[], &[]), Tie::Depend));
        hub.link_member(association, &target);
        assert!(one(&hub, association).is_none());
        hub.unlink(association);
    }
    drop(target);
    assert_eq!(live(model), 1);
}

#[test]
fn a_target_is_stale_when_the_key_changed() {
    let model = model("Stale");
    let (hub, target) = (record(model, 0), record(model, 1));
    hub.link_one(ONE, Some(&target), &[ID], Tie::Depend);
    assert!(!hub.is_link_stale(ONE, &[ID]));
    hub.write::<i64>(ID, 9);
    assert!(hub.is_link_stale(ONE, &[ID]));
}

/// A member that was added while the collection's query ran was dropped as one that the database no longer has.
#[test]
fn members_that_come_while_a_collection_loads_stay() {
    let model = model("Meanwhile");
    let hub = rows(model, 0..1).remove(0);
    let held = rows(model, 1..4);
    for member in &held {
        hub.link_member(MANY, member);
    }
    let unsaved = Record::new(model, &Db::detached());
    hub.link_member(MANY, &unsaved);
    let before = hub.linked_many(MANY, |_| true).records;
    let meanwhile = rows(model, 9..10).remove(0);
    hub.link_member(MANY, &meanwhile);
    // The database has 2, 3 and 4: 1 is gone, 4 is new.
    let merged = hub.link_rows(MANY, rows(model, 2..5), &before, Box::default(), |_| true);
    let members = hub.linked_many(MANY, |_| true);
    assert!(members.loaded);
    let expected = [&held[1], &held[2], &merged.members[2], &unsaved, &meanwhile];
    assert_eq!(members.records.len(), expected.len());
    let same = members.records.iter().zip(expected);
    assert!(same.clone().all(|(member, expected)| member.is(expected)));
    assert_eq!(merged.known.len(), 2);
    assert!(
        merged
            .known
            .iter()
            .all(|(member, row)| member == row && !member.is(row))
    );
}

/// A target that was set while the query for the old one ran was replaced by what the query found.
#[test]
fn a_target_that_is_set_while_one_is_loaded_stays() {
    let model = model("SetMeanwhile");
    let hub = record(model, 0);
    let (set, found) = (record(model, 1), record(model, 2));
    let key = || (&[ID][..], vec![Value::Int(0)]);
    assert!(hub.link_found(ONE, Some(&found), key(), Tie::Depend, |_| true));
    hub.link_one(ONE, Some(&set), &[ID], Tie::Depend);
    assert!(!hub.link_found(ONE, Some(&found), key(), Tie::Depend, |_| true));
    assert!(one(&hub, ONE).unwrap().is(&set));
    // What was found for another key than the record has by now is stale at once.
    hub.unlink(ONE);
    hub.write::<i64>(ID, 7);
    assert!(hub.link_found(ONE, Some(&found), key(), Tie::Depend, |_| true));
    assert!(hub.is_link_stale(ONE, &[ID]));
}

#[test]
fn a_row_that_is_loaded_alone_leaves_its_siblings_unknown() {
    let model = model("Alone");
    let batch = rows(model, 0..3);
    let target = record(model, 9);
    let alone = |row| Links {
        targets: vec![target.clone()],
        index: Index::Row {
            row,
            places: [Place { batch: 0, row: 0 }].into(),
        },
        missing: None,
        unread_since: None,
    };
    assert!(batch[1].publish(ONE, alone(1), Tie::Depend));
    assert!(!batch[2].publish(ONE, alone(2), Tie::Depend));
    assert!(one(&batch[1], ONE).unwrap().is(&target));
    assert!(one(&batch[0], ONE).is_none() && one(&batch[2], ONE).is_none());
    assert!(!batch[1].is_touched() && batch[1].has_own_link(ONE) && !batch[2].has_own_link(ONE));
    assert_eq!(batch[0].untold_siblings(ONE, &[ID]).len(), 2);
    batch[1].unlink(ONE);
    assert!(one(&batch[1], ONE).is_none());
}
