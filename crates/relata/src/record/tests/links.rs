//! Links: that they lead where they should, and hold no more than they must.

use super::*;

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
        generation: None,
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
        let found = hub.linked_many(MANY, || 0);
        assert!(!found.loaded && found.records.iter().all(is_intact));
        found.records.iter().map(|it| it.read::<i64>(ID)).collect()
    };
    hub.link_member(MANY, &members[0], || 0);
    assert_eq!(numbers(&hub), [1]);
    hub.link_many(MANY, &members[..4], false);
    for member in &members[4..] {
        hub.link_member(MANY, member, || 0);
    }
    assert_eq!(numbers(&hub), (1..10).collect::<Vec<_>>());
    hub.unlink(MANY);
    hub.link_member(MANY, &members[1], || 0);
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
        hub.link_member(association, &target, || 0);
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
