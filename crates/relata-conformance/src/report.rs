//! The lines about scenarios, and the one about all of them.
//!
//! Invariant: the last line counts every scenario once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::scenario::{Outcome, Report};

/// The line about a scenario.
#[must_use]
pub fn line(report: &Report) -> String {
    match &report.outcome {
        Outcome::Passed => format!("ok {}", report.name),
        Outcome::Failed(how) => format!("FAIL {}: {how}", report.name),
        Outcome::Unsupported(what) => format!("unsupported {}: {what}", report.name),
    }
}

/// What is said after the scenarios; its last line is the count.
#[must_use]
pub fn summary(reports: &[Report]) -> String {
    let mut text = String::new();
    for (area, (passed, all)) in areas(reports) {
        let _ = writeln!(text, "{area}: {passed} of {all}");
    }
    let mut by_difference: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, id) in reports.iter().flat_map(|report| &report.excused) {
        *by_difference.entry(id).or_default() += 1;
    }
    for (id, steps) in by_difference {
        let _ = writeln!(text, "{id} excuses {steps}");
    }
    for id in reports.iter().flat_map(|report| &report.needless) {
        let _ = writeln!(text, "{id} is listed as different and agrees");
    }
    let sum = |count: fn(&Report) -> usize| reports.iter().map(count).sum::<usize>();
    let _ = writeln!(
        text,
        "{} steps ask Ruby; {} agree with fewer reads; {} errors have another message",
        sum(|report| report.skipped),
        sum(|report| report.fewer),
        sum(|report| report.messages.len())
    );
    let count = |wanted: fn(&Outcome) -> bool| {
        reports
            .iter()
            .filter(|report| wanted(&report.outcome))
            .count()
    };
    let _ = write!(
        text,
        "{} passed, {} failed, {} unsupported; {} of {} steps; {} excused",
        count(|outcome| matches!(outcome, Outcome::Passed)),
        count(|outcome| matches!(outcome, Outcome::Failed(_))),
        count(|outcome| matches!(outcome, Outcome::Unsupported(_))),
        sum(|report| report.agreed),
        sum(|report| report.steps),
        sum(|report| report.excused.len())
    );
    text
}

/// Passed and all scenarios, by area.
fn areas(reports: &[Report]) -> BTreeMap<&str, (usize, usize)> {
    let mut areas: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for report in reports {
        let area = report.name.split('/').next().unwrap_or_default();
        let (passed, all) = areas.entry(area).or_default();
        *passed += usize::from(report.outcome == Outcome::Passed);
        *all += 1;
    }
    areas
}

/// All of it, for machines.
#[must_use]
pub fn json(reports: &[Report]) -> Json {
    let one = |report: &Report| {
        let (outcome, reason) = match &report.outcome {
            Outcome::Passed => ("ok", None),
            Outcome::Failed(how) => ("FAIL", Some(how)),
            Outcome::Unsupported(what) => ("unsupported", Some(what)),
        };
        json!({
            "name": report.name,
            "outcome": outcome,
            "reason": reason,
            "steps": report.steps,
            "agreed": report.agreed,
            "skipped": report.skipped,
            "fewer_reads": report.fewer,
            "other_messages": report.messages.iter().map(|(step, message)| json!({ "step": step, "message": message })).collect::<Vec<_>>(),
            "excused": report.excused.iter().map(|(step, id)| json!({ "step": step, "difference": id })).collect::<Vec<_>>(),
            "needlessly_listed": report.needless,
            "differing": report.differing.iter().map(|(step, how)| json!({ "step": step, "how": how })).collect::<Vec<_>>(),
        })
    };
    Json::Array(reports.iter().map(one).collect())
}
