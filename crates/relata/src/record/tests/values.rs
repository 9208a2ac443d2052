//! Reading, setting, comparing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::*;
use crate::attribute::Value;

#[test]
fn a_wrong_type_or_column_reads_blank() {
    let model = model("WrongReads");
    for record in [record(model, 7), rows(model, 7..8).remove(0)] {
        assert_eq!(record.read::<String>(ID), "");
        assert_eq!(record.read::<Vec<u8>>(NAME), b"");
        assert_eq!(record.read::<i64>(NAME), 0);
        assert_eq!(record.read::<Option<i64>>(SIZE), None);
        for column in [4, 63, 64, 65, 1 << 20, usize::MAX] {
            assert_eq!(record.read::<i64>(column), 0);
            assert_eq!(record.read::<String>(column), "");
            assert_eq!(record.read_was::<Option<String>>(column), None);
            assert_eq!(record.saved_change_to::<String>(column), None);
            assert!(!record.column_changed(column));
            record.write::<String>(column, "lost");
            record.write::<i64>(column, 1);
            assert_eq!(record.value(column), Value::Null);
        }
        record.write::<String>(ID, "not a number");
        record.write::<i64>(NAME, 0x7fff_0000_0000);
        assert!(is_intact(&record));
    }
}

#[test]
fn stored_words_of_another_kind_read_blank() {
    let text = Value::from("text");
    let number = Value::Int(0x7fff_0000_0000);
    let (text, number) = (Stored::of(&text), Stored::of(&number));
    assert_eq!(
        (
            text.int(),
            text.uint(),
            text.float(),
            text.uuid(),
            text.bool()
        ),
        (0, 0, 0.0, 0, false)
    );
    assert_eq!((number.text(), number.bytes()), ("", &b""[..]));
    assert_eq!(text.bytes(), b"text");
    assert_eq!(Stored::blank(Kind::Text).text(), "");
    assert_eq!(Stored::of(&Value::Bytes(vec![0xff].into())).text(), "");
    assert_eq!(Stored::of(&Value::Text("".into())).value(), Value::from(""));
}

#[test]
fn values_set_in_turn_take_no_memory() {
    let model = model("InTurn");
    for record in [record(model, 1), rows(model, 1..2).remove(0)] {
        let turn = |round: usize| {
            record.write::<Option<String>>(
                NAME,
                [Some("first"), Some("second"), None, Some("third")][round % 4],
            );
            record
                .set(
                    "blob",
                    Value::Bytes(vec![u8::try_from(round % 3).unwrap(); 100].into()),
                )
                .unwrap();
        };
        (0..12).for_each(turn);
        let (_, bytes) = record.retained();
        (0..10_000).for_each(turn);
        for number in 0..10_000 {
            record.write::<i64>(ID, number);
            record.write::<Option<f64>>(SIZE, Some(1.5));
        }
        assert_eq!(record.retained(), (1, bytes));
        assert_eq!(record.read::<Option<String>>(NAME), Some("third"));
    }
}

#[test]
fn a_borrowed_text_outlives_what_is_set_after_it() {
    let model = model("Borrowed");
    let record = record(model, 1);
    let first = record.read::<Option<String>>(NAME).unwrap();
    let texts: Vec<&str> = (0..2000)
        .map(|number| {
            record.write::<Option<String>>(NAME, Some(&format!("text {number}")));
            record.read::<Option<String>>(NAME).unwrap()
        })
        .collect();
    assert_eq!(first, "record 1");
    assert!(
        texts
            .iter()
            .enumerate()
            .all(|(number, text)| *text == format!("text {number}"))
    );
}

#[test]
fn one_object_has_many_names_and_one_row_many_objects() {
    let model = model("Identity");
    let (ann, same_row, other) = (record(model, 1), record(model, 1), record(model, 2));
    let clone = ann.clone();
    assert!(ann.is(&clone) && !ann.is(&same_row) && !ann.is(&other));
    assert!(ann == same_row && ann != other);
    let hasher = RandomState::new();
    assert_eq!(hasher.hash_one(&ann), hasher.hash_one(&same_row));
    clone.write::<i64>(ID, 5);
    assert_eq!(ann.read::<i64>(ID), 5);
    assert!(ann != same_row);

    let (blank, blank_too) = (
        Record::new(model, &Db::detached()),
        Record::new(model, &Db::detached()),
    );
    assert!(blank != blank_too && blank == blank.clone());
    assert_eq!(HashSet::from([blank.clone(), blank_too, blank]).len(), 2);

    let batch = rows(model, 0..3);
    let siblings = batch[0].untold_siblings(ONE, &[ID]);
    assert!(siblings.len() == 3 && siblings.iter().zip(&batch).all(|(a, b)| a.is(b)));
    assert!(batch[0].is_sibling(&batch[1]) && !batch[0].is_sibling(&ann));
}

#[test]
fn a_copy_keeps_nothing_else() {
    let model = model("Copies");
    let batch = rows(model, 0..100);
    let far = record(model, 1000);
    depend(&batch[7], &far);
    batch[7].write::<Option<f64>>(SIZE, Some(2.5));
    let copy = batch[7].compact();
    assert!(
        copy == batch[7]
            && !copy.is(&batch[7])
            && copy.changed() == ["size"]
            && copy.is_persisted()
    );
    drop((batch, far));
    assert_eq!(live(model), 1);
    assert!(is_intact(&copy));
    assert_eq!(copy.read::<Option<f64>>(SIZE), Some(2.5));
}

#[test]
fn bound_words_become_the_saved_ones_whatever_was_set_since() {
    let model = model("Bound");
    let (ann, stranger) = (record(model, 1), record(model, 2));
    let bound = ann.bind();
    ann.write::<Option<String>>(NAME, Some("set while saving"));
    ann.saved(stranger.bind(), &[ID, NAME]);
    assert_eq!(ann.read_was::<Option<String>>(NAME), None);
    ann.saved(bound, &[ID, NAME, 99]);
    assert_eq!(ann.read_was::<Option<String>>(NAME), Some("record 1"));
    assert_eq!(ann.changed(), ["name"]);
    let snapshot = ann.snapshot();
    ann.saved(ann.bind(), &[NAME]);
    assert_eq!(
        ann.read_was::<Option<String>>(NAME),
        Some("set while saving")
    );
    Record::restore(&snapshot);
    assert_eq!(ann.read_was::<Option<String>>(NAME), Some("record 1"));
    assert_eq!(ann.read::<Option<String>>(NAME), Some("set while saving"));
    assert!(is_intact(&stranger));
}
