//! One scenario, from its tables to its outcome.
//!
//! Invariant: a scenario fails by the first step that differs and is not excused; it is unsupported only when nothing
//! differed before the first thing that relata lacks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use relata::db::{Event, Row};
use relata::{Raw, Relation};
use serde_json::{Map, Value as Json};

use crate::compare;
use crate::describe::{self, describe};
use crate::differences::Differences;
use crate::form::Form;
use crate::schema;
use crate::statements::{Statements, same_text};
use crate::stop::{Ran, Stop};
use crate::transcript::{Scenario, Step};
use crate::value::Value;
use crate::world::World;

/// How a scenario ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All steps and the final tables agree.
    Passed,
    /// The first step that differs, and how.
    Failed(String),
    /// The first thing that relata lacks.
    Unsupported(String),
}

/// What is to be said about a scenario.
#[derive(Debug)]
pub struct Report {
    /// The scenario.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Steps that are compared.
    pub steps: usize,
    /// Steps that agree.
    pub agreed: usize,
    /// Steps that ask Ruby.
    pub skipped: usize,
    /// Agreeing steps that needed fewer reads.
    pub fewer: usize,
    /// Agreeing errors with another message: the step, and the message.
    pub messages: Vec<(String, String)>,
    /// Excused steps, by the difference that excuses them.
    pub excused: Vec<(String, String)>,
    /// Steps that are listed as different and agree.
    pub needless: Vec<String>,
    /// Every step that differs and is not excused, and how.
    pub differing: Vec<(String, String)>,
}

/// What one step showed.
#[derive(Default)]
struct Verdict {
    differs: Option<String>,
    fewer: bool,
    message: Option<String>,
}

/// Runs a scenario.
#[must_use]
pub fn run(scenario: &Scenario, differences: &Differences) -> Report {
    let mut report = Report {
        name: scenario.name.clone(),
        outcome: Outcome::Passed,
        steps: scenario
            .steps
            .iter()
            .filter(|step| step.form.is_some())
            .count(),
        agreed: 0,
        skipped: scenario
            .steps
            .iter()
            .filter(|step| step.form.is_none())
            .count(),
        fewer: 0,
        messages: Vec::new(),
        excused: Vec::new(),
        needless: Vec::new(),
        differing: Vec::new(),
    };
    let ran = catch_unwind(AssertUnwindSafe(|| {
        relata::run(async {
            go_through(scenario, differences, &mut report).await;
            Ok(())
        })
    }));
    match ran {
        Ok(Ok(())) => {}
        Ok(Err(error)) => report.outcome = Outcome::Failed(error.to_string()),
        Err(_) => report.outcome = Outcome::Failed("panicked".to_owned()),
    }
    report
}

async fn go_through(scenario: &Scenario, differences: &Differences, report: &mut Report) {
    let world = match World::new(scenario).await {
        Ok(world) => world,
        Err(stop) => {
            report.outcome = undeclared(scenario, stop);
            return;
        }
    };
    if let Some(expected) = &scenario.declaration_error {
        report.outcome = Outcome::Failed(format!("expected the declarations to raise {expected}"));
        return;
    }
    for statement in &scenario.setup {
        let Some(form) = &statement.form else {
            continue;
        };
        if let Err(stop) = world.eval(&world.steps, form).await {
            report.outcome = match stop {
                Stop::Unsupported(what) | Stop::NoMethod(what) => Outcome::Unsupported(what),
                Stop::Raised(raised) => Outcome::Failed(format!(
                    "setup `{}`: {}: {}",
                    statement.source, raised.class, raised.message
                )),
            };
            return;
        }
    }
    for step in &scenario.steps {
        let Some(form) = &step.form else { continue };
        let id = format!("{}#{}", scenario.name, step.number);
        let excuse = differences.excuse(&scenario.name, step.number);
        match perform(&world, step, form).await {
            Ok(verdict) => take(report, step, &id, excuse, verdict),
            Err(lacking) => {
                if report.outcome == Outcome::Passed {
                    report.outcome = Outcome::Unsupported(lacking);
                }
                return;
            }
        }
    }
    if let Some(expected) = &scenario.final_tables
        && let Some(how) = final_tables(&world, expected).await
    {
        let id = format!("{}#tables", scenario.name);
        match differences.excuse_tables(&scenario.name) {
            Some(difference) => report.excused.push((id, difference.to_owned())),
            None => {
                if report.outcome == Outcome::Passed {
                    report.outcome = Outcome::Failed(format!("final tables: {how}"));
                }
                report.differing.push((id, how));
            }
        }
    }
}

/// What it means that the declarations could not be made.
fn undeclared(scenario: &Scenario, stop: Stop) -> Outcome {
    match (stop, &scenario.declaration_error) {
        (Stop::Unsupported(what) | Stop::NoMethod(what), _) => Outcome::Unsupported(what),
        (Stop::Raised(raised), Some(expected)) => match compare::errors(expected, &raised, None) {
            None => Outcome::Passed,
            Some(difference) => Outcome::Failed(format!("declarations: {difference}")),
        },
        (Stop::Raised(raised), None) => Outcome::Failed(format!(
            "declarations: {}: {}",
            raised.class, raised.message
        )),
    }
}

fn take(report: &mut Report, step: &Step, id: &str, excuse: Option<&str>, verdict: Verdict) {
    match (verdict.differs, excuse) {
        (None, excuse) => {
            report.agreed += 1;
            report.fewer += usize::from(verdict.fewer);
            report
                .messages
                .extend(verdict.message.map(|message| (id.to_owned(), message)));
            if excuse.is_some() {
                report.needless.push(id.to_owned());
            }
        }
        (Some(_), Some(difference)) => report.excused.push((id.to_owned(), difference.to_owned())),
        (Some(how), None) => {
            report.differing.push((id.to_owned(), how.clone()));
            if report.outcome == Outcome::Passed {
                report.outcome =
                    Outcome::Failed(format!("step {} `{}`: {how}", step.number, step.source));
            }
        }
    }
}

/// Runs a step and compares it. The error is what relata lacks.
async fn perform(world: &Arc<World>, step: &Step, form: &Form) -> Result<Verdict, String> {
    let _ = world.take_log();
    let capture = world.db.capture();
    let mut ran = world.eval(&world.steps, form).await;
    if let (Err(Stop::NoMethod(what)), Some(expected)) = (&ran, &step.raises) {
        let class = expected
            .get("class")
            .and_then(Json::as_str)
            .unwrap_or_default();
        if matches!(class, "NoMethodError" | "NameError") {
            ran = Err(Stop::raised(class, what.clone()));
        }
    }
    let events = capture.events();
    drop(capture);
    let log = world.take_log();
    let ran = match ran {
        Ok(value) => Ok(described(world, &value)?),
        Err(Stop::Unsupported(what) | Stop::NoMethod(what)) => return Err(what),
        Err(Stop::Raised(raised)) => Err(raised),
    };
    let assigned = match form {
        Form::Let(name, _) => vec![name.clone()],
        Form::LetMany(names, _) => names.clone(),
        _ => Vec::new(),
    };
    let mut verdict = Verdict::default();
    verdict.differs = match (ran, &step.returns, &step.raises) {
        (Ok(got), Some(expected), _) => match compare::values(expected, &got, &assigned) {
            Some(_) if gives_sql(form) && same_query(world, expected, &got).await => None,
            difference => difference,
        },
        (Err(raised), _, Some(expected)) => {
            let same = compare::is_message(expected, &raised.message);
            verdict.message = (!same).then(|| raised.message.clone());
            let label = raised.record.as_ref().map(describe::label);
            compare::errors(expected, &raised, label.as_deref())
        }
        (Err(raised), _, None) => Some(format!("raised {}: {}", raised.class, raised.message)),
        (Ok(got), None, expected) => Some(format!(
            "expected the error {}, got {got}",
            expected.as_ref().unwrap_or(&Json::Null)
        )),
    };
    if verdict.differs.is_none() && log != step.log {
        verdict.differs = Some(format!("expected the log {:?}, got {log:?}", step.log));
    }
    let texts = events.iter().map(|event: &Event| &*event.text);
    let ours = Statements::of(texts);
    let theirs = Statements::of(step.sql.iter().map(String::as_str));
    verdict.fewer = ours.reads < theirs.reads;
    if verdict.differs.is_none() {
        verdict.differs = ours.differ(&theirs);
    }
    Ok(verdict)
}

fn described(world: &World, value: &Value) -> Result<Json, String> {
    describe(world, value).map_err(|stop| match stop {
        Stop::Unsupported(what) | Stop::NoMethod(what) => what,
        Stop::Raised(raised) => raised.message,
    })
}

/// Whether the outermost call asks for SQL.
fn gives_sql(form: &Form) -> bool {
    match form {
        Form::Call(call) => call.name == "to_sql",
        Form::Let(_, value) => gives_sql(value),
        _ => false,
    }
}

/// Whether two texts of SQL are the same, or give the same rows.
async fn same_query(world: &Arc<World>, expected: &Json, got: &Json) -> bool {
    let (Some(expected), Some(got)) = (expected.as_str(), got.as_str()) else {
        return false;
    };
    if same_text(expected, got) {
        return true;
    }
    let (Ok(wanted), Ok(found)) = (rows_of(world, expected).await, rows_of(world, got).await)
    else {
        return false;
    };
    if wanted.is_empty() && found.is_empty() {
        return joins(expected) == joins(got);
    }
    if expected.contains("ORDER BY") {
        return wanted == found;
    }
    sorted(wanted) == sorted(found)
}

fn sorted(rows: Vec<Json>) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(Json::to_string).collect();
    rows.sort();
    rows
}

/// The tables that a text joins, each with its kind of join.
fn joins(sql: &str) -> Vec<String> {
    let mut all: Vec<String> = sql
        .split("JOIN ")
        .collect::<Vec<_>>()
        .windows(2)
        .map(|pair| {
            let kind = if pair[0].ends_with("OUTER ") {
                "outer"
            } else {
                "inner"
            };
            let table = pair[1].split_whitespace().next().unwrap_or_default();
            format!("{kind} {table}")
        })
        .collect();
    all.sort();
    all
}

/// The rows of a text: lists of values, in the order of its columns, whatever these are called.
async fn rows_of(world: &Arc<World>, sql: &str) -> Ran<Vec<Json>> {
    let rows = world.db.fetch_sql(Raw::trusted(sql.to_owned())).await?;
    let row = |row: &Row| {
        let values = row
            .values()
            .iter()
            .map(|value| describe(world, &Value::of_attribute(value)));
        Ok(Json::Array(values.collect::<Ran<Vec<_>>>()?))
    };
    rows.iter().map(row).collect()
}

/// What differs between the tables and those that Rails ended with.
async fn final_tables(world: &Arc<World>, expected: &Map<String, Json>) -> Option<String> {
    for table in &world.tables {
        let wanted = match expected.get(&table.name) {
            Some(Json::Array(rows)) => rows.as_slice(),
            _ => return Some(format!("the table {} is not expected", table.name)),
        };
        let got = match stored(world, table).await {
            Ok(rows) => rows,
            Err(_) => return Some(format!("{} cannot be read", table.name)),
        };
        if let Some(difference) = compare::rows(&table.name, wanted, &got) {
            return Some(difference);
        }
    }
    expected
        .keys()
        .find(|name| !world.tables.iter().any(|table| &table.name == *name))
        .map(|name| format!("there is no table {name}"))
}

async fn stored(world: &Arc<World>, table: &crate::transcript::Table) -> Ran<Vec<Json>> {
    let names = table.columns.iter().map(|column| column.name.as_str());
    let rows = Relation::of(schema::plain(table)?, &world.db)
        .pluck_named(names)
        .await?;
    let row = |values: Vec<relata::Value<'static>>| {
        let mut row = Map::new();
        for (column, value) in table.columns.iter().zip(&values) {
            row.insert(
                column.name.clone(),
                describe(world, &Value::of_attribute(value))?,
            );
        }
        Ok(Json::Object(row))
    };
    rows.into_iter().map(row).collect()
}
