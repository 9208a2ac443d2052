//! Runs a program on relata and on the reference, and compares the two after each step.

use std::fmt::Write as _;

use relata::{Db, Error, ErrorKind, Record, Relation, Result, Value};

use crate::program::{Batching, End, Step};
use crate::reference::{Id, Life, NOWHERE, Origin, Reference, Refused, Row};
use crate::world::{KINDS, Kind, List};

/// A program in the middle of its run.
pub(crate) struct Run<'a> {
    db: &'a Db,
    reference: Reference,
    /// The object of relata for each of the reference.
    records: Vec<Record>,
}

/// Runs a program on an empty database. The error says where the two differ.
pub(crate) async fn run(db: &Db, program: &[Step]) -> Result<(), String> {
    let mut run = Run {
        db,
        reference: Reference::default(),
        records: Vec::new(),
    };
    run.steps(program).await?;
    if db.figures().writers != 0 {
        return Err("the writer is still leased".to_owned());
    }
    Ok(())
}

fn text(error: &Error) -> String {
    format!("an error that should not be: {error:?}")
}

fn row(record: &Record, kind: Kind) -> Row {
    let value = |name| record.get(name).ok().filter(|value| !value.is_null());
    Row {
        id: value("id").and_then(|value| value.as_i64()),
        text: value("text").and_then(|value| value.as_str().map(str::to_owned)),
        key: value(kind.key()).and_then(|value| value.as_i64()),
    }
}

fn int(value: Option<i64>) -> Value<'static> {
    value.map_or(Value::Null, Value::Int)
}

impl Run<'_> {
    async fn steps(&mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            let told = |error: String| format!("{error}\nat {step:?}");
            Box::pin(self.step(step)).await.map_err(told)?;
            self.compare().await.map_err(told)?;
        }
        Ok(())
    }

    /// The object that a number chooses.
    fn object(&self, number: usize) -> Option<Id> {
        let free: Vec<Id> = (0..self.records.len())
            .filter(|&id| self.reference.objects[id].origin != Origin::Shared)
            .collect();
        (!free.is_empty()).then(|| free[number % free.len()])
    }

    fn person(&self, number: usize) -> Option<Id> {
        let people: Vec<Id> = (0..self.records.len())
            .filter(|&id| {
                let object = &self.reference.objects[id];
                object.origin != Origin::Shared && object.kind == Kind::Person
            })
            .collect();
        (!people.is_empty()).then(|| people[number % people.len()])
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match *step {
            Step::New(kind) => {
                self.records.push(Record::new(kind.model(), self.db));
                self.reference
                    .add(kind, Row::default(), Life::New, Origin::Made);
            }
            Step::Load(kind, batching) => self.load(kind, batching).await?,
            Step::Text(number, text) => {
                if let Some(object) = self.object(number) {
                    let text = text.map(|text| format!("text {text}"));
                    let value = text.clone().map_or(Value::Null, Value::from);
                    self.records[object]
                        .set("text", value)
                        .map_err(|e| self::text(&e))?;
                    self.reference.objects[object].now.text = text;
                }
            }
            Step::Key(number, key) => {
                // A new member of a collection gets its owner's key in any case.
                if let Some(object) = self.object(number)
                    && !self.reference.is_member_of_any(object)
                {
                    let rows: Vec<i64> = self.reference.people.keys().copied().collect();
                    let key =
                        key.map(|key| rows.get(key % (rows.len() + 1)).copied().unwrap_or(NOWHERE));
                    let name = self.reference.objects[object].kind.key();
                    self.records[object]
                        .set(name, int(key))
                        .map_err(|e| text(&e))?;
                    self.reference.objects[object].now.key = key;
                }
            }
            Step::Link(number, parent) => {
                let parent = parent.map(|number| self.person(number));
                if let Some(object) = self.object(number)
                    && parent != Some(None)
                    && !self.reference.is_member_of_any(object)
                {
                    let parent = parent.flatten();
                    let name = self.reference.objects[object].kind.parent();
                    let association = self.records[object]
                        .association(name)
                        .map_err(|e| text(&e))?;
                    association
                        .set_target(parent.map(|parent| &self.records[parent]))
                        .map_err(|e| text(&e))?;
                    self.reference.link(object, parent);
                }
            }
            Step::Push(owner, list, member) => self.push(owner, list, member).await?,
            Step::Build(owner, list) => {
                if let Some(owner) = self.person(owner) {
                    let association = self.records[owner].association(list.name());
                    let record = association
                        .and_then(|it| it.build())
                        .map_err(|e| text(&e))?;
                    self.records.push(record);
                    let member =
                        self.reference
                            .add(list.of(), Row::default(), Life::New, Origin::Made);
                    self.reference.own(owner, list, member);
                }
            }
            Step::Parent(number) => {
                if let Some(object) = self.object(number) {
                    self.read_parent(object).await?;
                }
            }
            Step::Members(number, list) => {
                if let Some(owner) = self.person(number) {
                    self.read_members(owner, list).await?;
                }
            }
            Step::Save(number) => {
                if let Some(object) = self.object(number) {
                    self.save(object, None).await?;
                }
            }
            Step::FailingSave(number, nth) => {
                if let Some(object) = self.object(number) {
                    self.save(object, Some(nth)).await?;
                }
            }
            Step::Destroy(number) => {
                if let Some(object) = self.object(number)
                    && !self.reference.is_orphan(object)
                {
                    let done = self.records[object].destroy().await;
                    let refused: Vec<_> =
                        self.reference.destroy(object).err().into_iter().collect();
                    same(done, &refused)?;
                }
            }
            Step::Reload(number) => {
                if let Some(object) = self.object(number) {
                    let done = self.records[object].reload().await;
                    match (done, self.reference.reload(object)) {
                        (Ok(()), true) => {}
                        (Err(error), false) if error.is_record_not_found() => {}
                        (done, there) => {
                            return Err(format!("reload: {done:?}; row there: {there}"));
                        }
                    }
                }
            }
            Step::Transaction(end, ref steps) => self.transaction(end, steps).await?,
        }
        Ok(())
    }

    async fn load(&mut self, kind: Kind, batching: Batching) -> Result<(), String> {
        let rows = Relation::of(kind.model(), self.db)
            .order_by("id")
            .map_err(|e| text(&e))?;
        let rows = rows
            .batching(batching == Batching::On)
            .await
            .map_err(|e| text(&e))?;
        let expected: Vec<Row> = self.reference.table(kind).values().cloned().collect();
        for (record, row) in rows.iter().zip(&expected) {
            self.new_object(record.clone())?;
            let origin = match batching {
                Batching::On => Origin::Together,
                Batching::Off => Origin::Alone,
            };
            self.reference
                .add(kind, row.clone(), Life::Persisted, origin);
        }
        if rows.len() != expected.len() {
            return Err(format!("{} rows instead of {}", rows.len(), expected.len()));
        }
        Ok(())
    }

    /// An object that nobody has seen.
    fn new_object(&mut self, record: Record) -> Result<(), String> {
        if let Some(known) = self.records.iter().position(|known| known.is(&record)) {
            return Err(format!("object {known} instead of a new one"));
        }
        self.records.push(record);
        Ok(())
    }

    async fn push(&mut self, owner: usize, list: List, member: usize) -> Result<(), String> {
        let (Some(owner), Some(member)) = (self.person(owner), self.object(member)) else {
            return Ok(());
        };
        let fits = owner != member
            && self.reference.objects[member].kind == list.of()
            && self.reference.objects[member].life != Life::Destroyed
            && self.reference.objects[owner].life != Life::Destroyed
            && !self.reference.is_member_of_any(member)
            && !self.reference.is_orphan(member)
            && !self.reference.is_orphan(owner)
            && !self.reference.has_row(owner, list, member);
        if !fits {
            return Ok(());
        }
        let saves = self.reference.objects[owner].life == Life::Persisted;
        if saves {
            self.reference.link(member, Some(owner));
            if !self.reference.refused(member).is_empty() {
                // What is left of a push that fails is another test's concern.
                let association = self.records[member]
                    .association(self.reference.objects[member].kind.parent())
                    .map_err(|e| text(&e))?;
                return association
                    .set_target(Some(&self.records[owner]))
                    .map_err(|e| text(&e));
            }
        }
        let association = self.records[owner]
            .association(list.name())
            .map_err(|e| text(&e))?;
        association
            .push(&self.records[member])
            .await
            .map_err(|e| text(&e))?;
        if saves {
            let id = |object: Id| id_of(&self.records[object]);
            self.reference.save(member, id);
            self.reference.own(owner, list, member);
        } else {
            self.reference.add_to_new(owner, list, member);
        }
        Ok(())
    }

    async fn read_parent(&mut self, object: Id) -> Result<(), String> {
        let name = self.reference.objects[object].kind.parent();
        let association = self.records[object]
            .association(name)
            .map_err(|e| text(&e))?;
        let found = association.load_one().await.map_err(|e| text(&e))?;
        let expected = self.reference.read_parent(object);
        match (found, expected) {
            (None, None) => Ok(()),
            (Some(found), Some(expected)) => self.same_object(found, expected),
            (found, expected) => Err(format!("parent {found:?} instead of {expected:?}")),
        }
    }

    async fn read_members(&mut self, owner: Id, list: List) -> Result<(), String> {
        let association = self.records[owner]
            .association(list.name())
            .map_err(|e| text(&e))?;
        let found = association.load_many().await.map_err(|e| text(&e))?;
        let expected = self.reference.read_members(owner, list);
        if found.len() != expected.len() {
            return Err(format!("members {found:?} instead of {expected:?}"));
        }
        for (found, expected) in found.into_iter().zip(expected) {
            self.same_object(found, expected)?;
        }
        Ok(())
    }

    fn same_object(&mut self, found: Record, expected: Id) -> Result<(), String> {
        match self.records.get(expected) {
            Some(known) if known.is(&found) => Ok(()),
            Some(_) => Err(format!("{found:?} is not the object {expected}")),
            None if self.reference.objects[expected].origin == Origin::Shared => {
                self.records.push(found);
                Ok(())
            }
            None => self.new_object(found),
        }
    }

    async fn save(&mut self, object: Id, fault: Option<u64>) -> Result<(), String> {
        // A key that a row had once may be given to another, and then there is a parent: left to chance, left out.
        let once = |&key: &i64| key != NOWHERE;
        let orphan = |&it: &Id| self.reference.is_orphan(it);
        if self.reference.to_save(object).iter().any(orphan)
            || self.reference.missing_parents(object).iter().any(once)
        {
            return Ok(());
        }
        let refused = self.reference.refused(object);
        if let Some(nth) = fault {
            self.db.faults().fail_nth(nth, ErrorKind::DiskFull);
        }
        let done = self.records[object].save().await;
        self.db.faults().clear();
        if let Err(error) = &done
            && error.kind() == ErrorKind::DiskFull
        {
            // Rows and memory must be as before, whatever statement it was.
            return Ok(());
        }
        same(done, &refused)?;
        if refused.is_empty() {
            self.reference
                .save(object, |object| id_of(&self.records[object]));
        }
        Ok(())
    }

    async fn transaction(&mut self, end: End, steps: &[Step]) -> Result<(), String> {
        self.reference.begin();
        let db = self.db.clone();
        let mut told = Ok(());
        let done: Result<()> = db
            .transaction(async || {
                told = self.steps(steps).await;
                match end {
                    End::Commit if told.is_ok() => Ok(()),
                    _ => Err(Error::new(ErrorKind::Rollback, "on purpose")),
                }
            })
            .await;
        told?;
        match (end, done) {
            (End::Commit, Ok(())) => self.reference.commit(),
            (End::RollBack, Err(error)) if error.is_rollback() => self.reference.roll_back(),
            (end, done) => return Err(format!("a transaction to {end:?} gave {done:?}")),
        }
        Ok(())
    }

    /// Rows of the tables, and every object: values, what is not saved, life, and what its associations hold.
    async fn compare(&self) -> Result<(), String> {
        for kind in KINDS {
            let rows = Relation::of(kind.model(), self.db)
                .order_by("id")
                .map_err(|e| text(&e))?
                .pluck_named(["id", "text", kind.key()])
                .await
                .map_err(|e| text(&e))?;
            let rows: Vec<Row> = rows
                .iter()
                .map(|row| Row {
                    id: row[0].as_i64(),
                    text: row[1].as_str().map(str::to_owned),
                    key: row[2].as_i64(),
                })
                .collect();
            let expected: Vec<Row> = self.reference.table(kind).values().cloned().collect();
            if rows != expected {
                return Err(format!(
                    "rows of {kind:?}: {rows:?}\n  instead of: {expected:?}"
                ));
            }
        }
        let mut differences = String::new();
        for (id, record) in self.records.iter().enumerate() {
            self.compare_object(id, record, &mut differences);
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(differences)
        }
    }

    fn compare_object(&self, id: Id, record: &Record, differences: &mut String) {
        let object = &self.reference.objects[id];
        let now = row(record, object.kind);
        if now != object.now {
            let _ = writeln!(
                differences,
                "object {id}: {now:?} instead of {:?}",
                object.now
            );
        }
        let life = match (
            record.is_new_record(),
            record.is_persisted(),
            record.is_destroyed(),
        ) {
            (true, false, false) => Life::New,
            (false, true, false) => Life::Persisted,
            _ => Life::Destroyed,
        };
        if life != object.life {
            let _ = writeln!(
                differences,
                "object {id} is {life:?} instead of {:?}",
                object.life
            );
        }
        let columns = [
            ("id", object.now.id != object.saved.id),
            ("text", object.now.text != object.saved.text),
            (object.kind.key(), object.now.key != object.saved.key),
        ];
        let changed: Vec<&str> = columns
            .iter()
            .filter(|(_, changed)| *changed)
            .map(|(name, _)| *name)
            .collect();
        if record.changed() != changed {
            let _ = writeln!(
                differences,
                "object {id}: changed {:?} instead of {changed:?}",
                record.changed()
            );
        }
        if matches!(object.origin, Origin::Together | Origin::Shared) {
            // What siblings brought along is there or not: only reading it must make no difference.
            return;
        }
        let held = |name: &str| {
            record
                .association(name)
                .map(|it| it.target())
                .unwrap_or_default()
        };
        let parent: Vec<Id> = self
            .reference
            .known_parent(id)
            .flatten()
            .into_iter()
            .collect();
        let mut expected = vec![(object.kind.parent(), &parent)];
        if object.kind == Kind::Person {
            for list in [List::Reports, List::Posts] {
                expected.push((list.name(), &self.reference.members(id, list).objects));
            }
        }
        for (name, expected) in expected {
            let held = held(name);
            let same = held.len() == expected.len()
                && held
                    .iter()
                    .zip(expected)
                    .all(|(held, &expected)| self.records[expected].is(held));
            if !same {
                let _ = writeln!(
                    differences,
                    "object {id}: {name} {held:?} instead of {expected:?}"
                );
            }
        }
    }
}

fn id_of(record: &Record) -> i64 {
    row(record, Kind::Person).id.unwrap_or_default()
}

/// Whether relata did what the reference did, or refused it for one of its reasons.
fn same(done: Result<()>, refused: &[Refused]) -> Result<(), String> {
    let mut expected = refused.iter().map(|refused| match refused {
        Refused::Destroyed => ErrorKind::RecordNotSaved,
        Refused::TextIsNull => ErrorKind::NotNullViolation,
        Refused::NoSuchParent | Refused::HasChildren => ErrorKind::InvalidForeignKey,
    });
    let right = match &done {
        Ok(()) => refused.is_empty(),
        Err(error) => expected.any(|kind| kind == error.kind()),
    };
    if right {
        return Ok(());
    }
    Err(format!("{done:?} instead of {refused:?}"))
}
