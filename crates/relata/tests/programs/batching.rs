//! Batching never changes a result: each program is run with it and without it, on the same rows, and everything that
//! was read is compared.
//!
//! Records are read by a query and walked lazily; between the reads rows are written through the database, by other
//! objects and by the walked ones, keys change, transactions roll back. What batching may change, and what is therefore
//! not compared: which objects are one. Siblings that lead to one row lead to one object; alone they have one each.
//! So what hangs off such an object is read once for each result, and only the objects of the query are changed.

use std::collections::HashSet;

use relata::{Db, Error, ErrorKind, Raw, Record, Relation, Result, Value};

use crate::program::Nested;
use crate::random::Random;
use crate::world::{Kind, clear};

/// One step. Numbers choose among the records or rows there are, by their remainder.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Load(Kind, Query),
    /// Follows associations from a record of a query.
    Walk(usize, Vec<usize>),
    /// What can be asked of an association without reading it, for all records of a query.
    Ask(usize, usize),
    /// By an object of its own: the text or the key of a row, a new row, a row less.
    WriteText(Kind, usize, u8),
    WriteKey(Kind, usize, Option<usize>),
    Insert(Kind, Option<usize>),
    Delete(Kind, usize),
    /// By SQL that the library does not look into.
    Sql(u8),
    /// On a record of a query, in memory and saved.
    SetKey(usize, Option<usize>),
    SetText(usize, u8),
    Link(usize, Option<usize>),
    Build(usize, usize),
    Push(usize, usize),
    Save(usize),
    Reload(usize),
    Reset(usize, usize),
    Destroy(usize),
    Transaction(bool, Vec<Step>),
}

/// How records are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Query {
    All,
    Backwards,
    Some(u64),
    /// The number of an association that is loaded with them.
    With(usize),
}

/// The rows at the beginning, and what is done.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    people: usize,
    posts: usize,
    seed: u64,
    pub(crate) steps: Vec<Step>,
}

impl Nested for Step {
    fn inner(&self) -> Option<&[Self]> {
        match self {
            Self::Transaction(_, inner) => Some(inner),
            _ => None,
        }
    }

    fn with(&self, inner: Vec<Self>) -> Self {
        match self {
            Self::Transaction(commits, _) => Self::Transaction(*commits, inner),
            other => other.clone(),
        }
    }
}

impl Program {
    /// The same rows, other steps.
    pub(crate) fn with(&self, steps: &[Step]) -> Self {
        Self {
            steps: steps.to_vec(),
            ..*self
        }
    }
}

pub(crate) fn program(seed: u64) -> Program {
    let mut random = Random::new(seed);
    // More than a hundred are loaded first alone, then together.
    let posts = if random.one_in(8) {
        101 + random.below(20)
    } else {
        random.below(14)
    };
    let people = 1 + random.below(8);
    let length = 3 + random.below(25);
    let mut steps = vec![load(&mut random), load(&mut random)];
    steps.extend((0..length).map(|_| step(&mut random, 0)));
    Program {
        people,
        posts,
        seed,
        steps,
    }
}

fn kind(random: &mut Random) -> Kind {
    if random.one_in(2) {
        Kind::Person
    } else {
        Kind::Post
    }
}

fn load(random: &mut Random) -> Step {
    let query = match random.below(6) {
        0..=2 => Query::All,
        3 => Query::Backwards,
        4 => Query::Some(1 + random.below(8) as u64),
        _ => Query::With(random.below(4)),
    };
    Step::Load(kind(random), query)
}

fn step(random: &mut Random, depth: usize) -> Step {
    let (one, two) = (random.below(500), random.below(500));
    let maybe = (!random.one_in(4)).then_some(two);
    let text = u8::try_from(two % 200).unwrap_or_default();
    match random.below(40) {
        0..=1 => load(random),
        2..=17 => {
            let depth = 1 + random.below(3);
            Step::Walk(one, (0..depth).map(|_| random.below(4)).collect())
        }
        18..=19 => Step::Ask(one, two),
        20..=21 => Step::WriteText(kind(random), one, text),
        22..=23 => Step::WriteKey(kind(random), one, maybe),
        24..=25 => Step::Insert(kind(random), maybe),
        26 => Step::Delete(kind(random), one),
        27 => Step::Sql(text),
        28 => Step::SetKey(one, maybe),
        29 => Step::SetText(one, text),
        30 => Step::Link(one, maybe),
        31 => Step::Build(one, two),
        32 => Step::Push(one, two),
        33..=34 => Step::Save(one),
        35 => Step::Reload(one),
        36 => Step::Reset(one, two),
        37 => Step::Destroy(one),
        _ if depth < 3 => {
            let steps = (0..1 + random.below(8)).map(|_| step(random, depth + 1));
            Step::Transaction(steps.len() % 2 == 0, steps.collect())
        }
        _ => Step::Save(one),
    }
}

/// Runs a program both ways. The error is the first thing that was read differently.
pub(crate) async fn compare(db: &Db, program: &Program) -> Result<(), String> {
    let mut told = Vec::new();
    for batching in [true, false] {
        clear(db).await.map_err(|error| error.to_string())?;
        fill(db, program).await.map_err(|error| error.to_string())?;
        let mut run = Run {
            db,
            batching,
            records: Vec::new(),
            loads: 0,
            walked: HashSet::new(),
            told: Vec::new(),
        };
        run.steps(&program.steps)
            .await
            .map_err(|error| format!("batching {batching}: {error}"))?;
        told.push(run.told);
    }
    let (with, without) = (&told[0], &told[1]);
    match with
        .iter()
        .zip(without)
        .position(|(one, other)| one != other)
    {
        None if with.len() == without.len() => Ok(()),
        None => Err("one of the two read more".to_owned()),
        Some(at) => Err(format!(
            "with batching: {}\nwithout:       {}",
            with[at], without[at]
        )),
    }
}

async fn fill(db: &Db, program: &Program) -> Result<()> {
    let mut random = Random::new(program.seed ^ 0x5eed);
    db.transaction(async || {
        for (kind, count) in [(Kind::Person, program.people), (Kind::Post, program.posts)] {
            for row in 1..=count {
                // The first posts of a fill are everybody's; some rows have no parent.
                let people = if kind == Kind::Person {
                    row
                } else {
                    program.people + 1
                };
                let record = Record::new(kind.model(), db);
                let parent = random.below(people) as i64;
                record
                    .set("id", Value::Int(row as i64))?
                    .set("text", format!("{kind:?} {row}"))?
                    .set(
                        kind.key(),
                        if parent == 0 {
                            Value::Null
                        } else {
                            Value::Int(parent)
                        },
                    )?;
                record.save().await?;
            }
        }
        Ok(())
    })
    .await
}

struct Run<'a> {
    db: &'a Db,
    batching: bool,
    /// Of queries, and which query.
    records: Vec<(usize, Record)>,
    loads: usize,
    /// What was read off an object that siblings may share.
    walked: HashSet<(usize, &'static str, i64, &'static str)>,
    told: Vec<String>,
}

fn show(record: &Record) -> String {
    let values: Vec<String> = record
        .attributes()
        .iter()
        .map(|(_, value)| format!("{value:?}"))
        .collect();
    format!("{} {}", record.reflection().name(), values.join(" "))
}

impl Run<'_> {
    async fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            let done = Box::pin(self.step(step)).await;
            // What is refused must be refused both ways.
            self.told.push(match &done {
                Ok(()) => format!("{step:?}"),
                Err(error) => format!("{step:?}: {:?}", error.kind()),
            });
            if let Err(error) = done
                && matches!(
                    error.kind(),
                    ErrorKind::Argument | ErrorKind::UnknownAttribute
                )
            {
                return Err(error);
            }
        }
        Ok(())
    }

    fn record(&self, number: usize) -> Option<(usize, Record)> {
        let count = self.records.len();
        (count > 0).then(|| self.records[number % count].clone())
    }

    /// A row of a table, as an object of its own.
    async fn row(&self, kind: Kind, number: usize) -> Result<Option<Record>> {
        let all = Relation::of(kind.model(), self.db).order_by("id")?;
        let count = all.clone().count().await?;
        if count == 0 {
            return Ok(None);
        }
        all.offset(number as u64 % count).limit(1).take().await
    }

    /// The key of a person, or one that nobody has.
    async fn key(&self, number: Option<usize>) -> Result<Value<'static>> {
        let Some(number) = number else {
            return Ok(Value::Null);
        };
        match self.row(Kind::Person, number).await? {
            Some(person) => Ok(person.get("id")?.into_owned()),
            None => Ok(Value::Null),
        }
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Load(kind, query) => self.load(*kind, *query).await?,
            Step::Walk(number, path) => self.walk(*number, path).await?,
            Step::Ask(number, association) => self.ask(*number, *association).await?,
            Step::WriteText(kind, number, text) => {
                if let Some(row) = self.row(*kind, *number).await? {
                    row.set("text", format!("text {text}"))?.save().await?;
                }
            }
            Step::WriteKey(kind, number, key) => {
                let key = self.key(*key).await?;
                if let Some(row) = self.row(*kind, *number).await? {
                    row.set(kind.key(), key)?.save().await?;
                }
            }
            Step::Insert(kind, key) => {
                let row = Record::new(kind.model(), self.db);
                row.set("text", "new")?
                    .set(kind.key(), self.key(*key).await?)?;
                row.save().await?;
            }
            Step::Delete(kind, number) => {
                if let Some(row) = self.row(*kind, *number).await? {
                    row.destroy().await?;
                }
            }
            Step::Sql(text) => {
                let sql = Raw::new("UPDATE posts SET text = ? WHERE id % 3 = ?")
                    .bind(format!("sql {text}"))
                    .bind(i64::from(text % 3));
                self.db.execute_sql(sql).await?;
            }
            Step::Transaction(commits, steps) => {
                let db = self.db.clone();
                let done: Result<()> = db
                    .transaction(async || {
                        self.steps(steps).await?;
                        if *commits {
                            Ok(())
                        } else {
                            Err(Error::new(ErrorKind::Rollback, "on purpose"))
                        }
                    })
                    .await;
                if let Err(error) = done
                    && !error.is_rollback()
                {
                    return Err(error);
                }
            }
            _ => self.change(step).await?,
        }
        Ok(())
    }

    /// Changes a record of a query.
    async fn change(&mut self, step: &Step) -> Result<()> {
        let (Step::SetKey(number, _)
        | Step::SetText(number, _)
        | Step::Link(number, _)
        | Step::Build(number, _)
        | Step::Push(number, _)
        | Step::Save(number)
        | Step::Reload(number)
        | Step::Reset(number, _)
        | Step::Destroy(number)) = step
        else {
            return Ok(());
        };
        let Some((_, record)) = self.record(*number) else {
            return Ok(());
        };
        let kind = kind_of(&record);
        match step {
            Step::SetKey(_, key) => {
                record.set(kind.key(), self.key(*key).await?)?;
            }
            Step::SetText(_, text) => {
                record.set("text", format!("set {text}"))?;
            }
            Step::Link(_, other) => {
                let parent = match other.and_then(|other| self.record(other)) {
                    Some((_, other)) if kind_of(&other) == Kind::Person => Some(other),
                    _ => None,
                };
                record
                    .association(kind.parent())?
                    .set_target(parent.as_ref())?;
            }
            Step::Build(_, number) if kind == Kind::Person => {
                let built = record
                    .association(["posts", "reports"][number % 2])?
                    .build()?;
                built.set("text", "built")?;
            }
            Step::Push(_, number) if kind == Kind::Person => {
                if let Some(row) = self.row(Kind::Post, *number).await? {
                    record.association("posts")?.push(&row).await?;
                }
            }
            Step::Save(_) => record.save().await?,
            Step::Reload(_) => record.reload().await?,
            Step::Reset(_, number) => record
                .association(association_of(&record, *number))?
                .reset(),
            Step::Destroy(_) => record.destroy().await?,
            _ => {}
        }
        self.told.push(show(&record));
        Ok(())
    }

    async fn load(&mut self, kind: Kind, query: Query) -> Result<()> {
        let all = Relation::of(kind.model(), self.db).batching(self.batching);
        let all = match query {
            Query::All => all.order_by("id")?,
            Query::Backwards => all.order_by("id desc")?,
            Query::Some(rows) => all.order_by("id")?.limit(rows),
            Query::With(association) => {
                let names = associations(kind);
                all.order_by("id")?
                    .includes_named([names[association % names.len()]])?
            }
        };
        self.loads += 1;
        for record in all.await? {
            self.told.push(show(&record));
            self.records.push((self.loads, record));
        }
        Ok(())
    }

    async fn walk(&mut self, number: usize, path: &[usize]) -> Result<()> {
        let Some((load, record)) = self.record(number) else {
            return Ok(());
        };
        let mut at = vec![record];
        for (depth, &association) in path.iter().enumerate() {
            let mut next = Vec::new();
            for owner in &at {
                let name = association_of(owner, association);
                let id = owner.get("id")?.as_i64().unwrap_or_default();
                let once = (load, owner.reflection().name(), id, name);
                if depth > 0 && !self.walked.insert(once) {
                    continue;
                }
                let association = owner.association(name)?;
                let found = if association.reflection().is_collection() {
                    association.load_many().await?
                } else {
                    association.load_one().await?.into_iter().collect()
                };
                for target in &found {
                    self.told
                        .push(format!("{} of {}: {}", name, show(owner), show(target)));
                }
                self.told.push(format!("{} {name}", found.len()));
                self.check_identity(owner, name, &found).await?;
                next.extend(found);
            }
            at = next;
        }
        Ok(())
    }

    /// A second read gives the same objects, and members lead back to their owner.
    async fn check_identity(&mut self, owner: &Record, name: &str, found: &[Record]) -> Result<()> {
        let association = owner.association(name)?;
        let again = if association.reflection().is_collection() {
            association.load_many().await?
        } else {
            association.load_one().await?.into_iter().collect()
        };
        let same =
            again.len() == found.len() && again.iter().zip(found).all(|(one, other)| one.is(other));
        self.told.push(format!("read again, the same: {same}"));
        if let (false, Some(inverse)) = (
            name == "boss" || name == "author",
            association.resolved().inverse,
        ) {
            for member in found {
                let back = member.reflection().reflections()[inverse].name();
                let led = member.association(back)?.target();
                self.told.push(format!(
                    "leads back: {}",
                    led.len() == 1 && led[0].is(owner)
                ));
            }
        }
        Ok(())
    }

    async fn ask(&mut self, number: usize, association: usize) -> Result<()> {
        let Some((load, record)) = self.record(number) else {
            return Ok(());
        };
        let name = association_of(&record, association);
        for (_, sibling) in self.records.iter().filter(|(of, _)| *of == load) {
            // Looking must not count as reading, whoever looks.
            let association = sibling.association(name)?;
            let _ = (
                association.is_loaded(),
                format!("{association:?} {sibling:?}"),
            );
            if !sibling.is_changed() && sibling.is_persisted() {
                sibling.save().await?;
            }
        }
        let count = record.association(name)?.relation().count().await?;
        self.told
            .push(format!("{count} {name} of {}", show(&record)));
        Ok(())
    }
}

fn kind_of(record: &Record) -> Kind {
    if record.reflection() == Kind::Person.model() {
        Kind::Person
    } else {
        Kind::Post
    }
}

fn associations(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Person => &["boss", "reports", "posts", "first_post"],
        Kind::Post => &["author"],
    }
}

fn association_of(record: &Record, number: usize) -> &'static str {
    let names = associations(kind_of(record));
    names[number % names.len()]
}
