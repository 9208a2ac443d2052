//! CPU time of the programs we waited for, from `/proc/self/stat`: a noisy machine changes it far less than a stopwatch.
//!
//! Invariant: what is measured includes the children of the children, as cargo waits for its compilers.

use std::fs;

/// Ticks in a second, as the kernel reports times to programs on every Linux we run on.
const TICKS: f64 = 100.0;

/// User and system seconds of all children that ended and were waited for.
pub fn children() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat")
        .map_err(|why| format!("CPU times need Linux's /proc: {why}"))?;
    // The second field is a name in parentheses that may hold anything; count from behind it.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<f64>().ok())
    };
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS),
        _ => Err(format!("/proc/self/stat is not as expected: {stat}")),
    }
}
