//! The tiers of testing: fast, full (what CI runs) and soak, each a list of named steps.
//!
//! Invariant: a step runs or fails. The few that depend on something that may not exist yet (a feature, a test file)
//! ask the tree for it and say so; nothing is skipped because a tool is missing.

use std::path::Path;
use std::time::Instant;

use crate::command::Run;
use crate::workspace::{self, Package};
use crate::{links, mutants, packaging, tidy, tools};

type Work = Box<dyn Fn(&Path) -> Result<(), String>>;

/// One step: its name, the commands as they will be printed, and what else it does.
struct Step {
    name: &'static str,
    /// Commands, run in order.
    runs: Vec<Run>,
    /// Work that is not one command.
    work: Option<Work>,
}

impl Step {
    fn runs(name: &'static str, runs: Vec<Run>) -> Self {
        Self {
            name,
            runs,
            work: None,
        }
    }

    fn work(name: &'static str, work: impl Fn(&Path) -> Result<(), String> + 'static) -> Self {
        Self {
            name,
            runs: Vec::new(),
            work: Some(Box::new(work)),
        }
    }

    fn with(mut self, work: impl Fn(&Path) -> Result<(), String> + 'static) -> Self {
        self.work = Some(Box::new(work));
        self
    }

    fn execute(&self, root: &Path) -> Result<(), String> {
        if let Some(work) = &self.work {
            work(root)?;
        }
        self.runs.iter().try_for_each(Run::run)
    }
}

/// `cargo xtask test`.
pub fn test(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut steps = full(root);
    let mut only = None;
    let mut list = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--fast" => steps = fast(root),
            "--list" => list = true,
            "--only" => only = rest.next().cloned(),
            other => {
                return Err(format!(
                    "`test` knows --fast, --only STEP[,STEP] and --list, not `{other}`"
                ));
            }
        }
    }
    if let Some(only) = only {
        let names: Vec<&str> = only.split(',').collect();
        if let Some(unknown) = names
            .iter()
            .find(|name| !steps.iter().any(|step| step.name == **name))
        {
            let known: Vec<&str> = steps.iter().map(|step| step.name).collect();
            return Err(format!(
                "there is no step `{unknown}`; there are {}",
                known.join(", ")
            ));
        }
        steps.retain(|step| names.contains(&step.name));
    }
    if list {
        for step in &steps {
            println!("{}", step.name);
            step.runs.iter().for_each(|run| println!("  $ {run}"));
        }
        return Ok(());
    }
    all(root, &steps)
}

/// `cargo xtask soak`.
pub fn soak(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`soak` takes no arguments, not `{argument}`"));
    }
    let steps = [
        // Randomised tests read RELATA_SOAK and multiply their rounds.
        Step::runs(
            "rounds",
            vec![
                Run::new("cargo test --workspace --all-features --release").env("RELATA_SOAK", "1"),
            ],
        ),
        Step::work("mutants", |root| mutants::run(root, &[])),
        Step::runs(
            "memcheck-all",
            vec![memcheck(
                root,
                Run::new("cargo test -p relata --all-features --tests"),
            )],
        )
        .with(|_| tools::valgrind()),
    ];
    all(root, &steps)
}

/// `cargo xtask bless`.
pub fn bless(root: &Path) -> Result<(), String> {
    let cases = integration_tests(&workspace::packages(root), "compile_fail");
    if cases.is_empty() {
        return Err("there is no integration test named compile_fail*".to_string());
    }
    // Some cases are for a feature, and some for its absence.
    let bless = |(package, test): &(String, String)| {
        let run = |features: &[&str]| {
            Run::new("cargo test")
                .args(["-p", package, "--test", test])
                .args(features.iter().copied())
                .env("TRYBUILD", "overwrite")
                .run()
        };
        run(&[]).and_then(|()| run(&["--all-features"]))
    };
    cases.iter().try_for_each(bless)?;
    println!("read the difference before you commit it: `git diff -- '*.stderr'`");
    Ok(())
}

/// Runs steps in order, stops at the first that fails, and says what each took.
fn all(root: &Path, steps: &[Step]) -> Result<(), String> {
    let start = Instant::now();
    let mut times = Vec::new();
    for step in steps {
        println!("\n=== {} ===", step.name);
        let begin = Instant::now();
        let done = step.execute(root);
        times.push((step.name, begin.elapsed().as_secs_f64()));
        if let Err(why) = done {
            table(&times);
            return Err(format!(
                "step `{}`: {why}\nrepeat it alone with `cargo xtask test --only {}`",
                step.name, step.name
            ));
        }
    }
    table(&times);
    println!(
        "all {} steps passed in {:.0} s",
        steps.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn table(times: &[(&str, f64)]) {
    println!();
    for (name, seconds) in times {
        println!("{seconds:8.1} s  {name}");
    }
}

/// Format, the rules of the house, and every test with the default features.
fn fast(_: &Path) -> Vec<Step> {
    vec![
        Step::runs("format", vec![Run::new("cargo fmt --all --check")]),
        Step::work("tidy", tidy::report),
        Step::runs(
            "tests",
            vec![Run::new(
                "cargo test --workspace --quiet --lib --bins --tests --examples",
            )],
        ),
    ]
}

/// What CI runs. Cheap steps come first, so that a mistake shows early.
fn full(root: &Path) -> Vec<Step> {
    let packages = workspace::packages(root);
    let documentation = Run::new("cargo doc --workspace --no-deps --all-features")
        .env("RUSTDOCFLAGS", "-D warnings");
    vec![
        Step::runs("format", vec![Run::new("cargo fmt --all --check")]),
        Step::work("tidy", tidy::report),
        Step::runs(
            "clippy",
            vec![Run::new(
                "cargo clippy --workspace --all-targets --all-features -- -D warnings",
            )],
        ),
        Step::runs("features", features(&packages)),
        Step::work("oldest-compiler", oldest_compiler),
        Step::runs("conformance", vec![conformance()]),
        // Compiles and runs examples too: an example with `#[test]`s is a test.
        Step::runs(
            "tests",
            vec![Run::new(
                "cargo test --workspace --lib --bins --tests --examples",
            )],
        ),
        Step::runs(
            "tests-all-features",
            vec![Run::new(
                "cargo test --workspace --all-features --lib --bins --tests --examples",
            )],
        ),
        // The random programs once more, and many more of them.
        Step::runs(
            "programs",
            vec![
                // With `chrono`, or those over what runs by itself are not among them.
                Run::new("cargo test -p relata --features chrono --test programs")
                    .env("RELATA_PROGRAMS", "10000"),
            ],
        ),
        // Races and chains at their full length.
        Step::runs(
            "lengths",
            vec![Run::new("cargo test -p relata --test races --test deep").env("RELATA_SOAK", "1")],
        ),
        // The record room's threads in every order, with locks that a scheduler hands out.
        Step::runs(
            "orders",
            vec![
                Run::new("cargo test -p relata --lib orders")
                    .env("RUSTFLAGS", "--cfg shuttle")
                    .env("CARGO_TARGET_DIR", "target/shuttle"),
            ],
        ),
        Step::runs(
            "doctests",
            vec![Run::new("cargo test --workspace --all-features --doc")],
        ),
        Step::runs("documentation", vec![documentation]),
        Step::runs("package", vec![packaging::package(&packages)]).with(packaging::forget),
        Step::work("dependencies", |root| {
            let deny = tools::cargo_deny(root)?;
            // Not `advisories`: they need a database from the network, which a build must not depend on.
            Run::new(&deny)
                .args(["--all-features", "check", "licenses", "bans", "sources"])
                .run()
        }),
        Step::runs("address-sanitizer", address_sanitizer(&packages)),
        Step::runs(
            "memcheck",
            soundness(&packages)
                .into_iter()
                .map(|run| memcheck(root, run))
                .collect(),
        )
        .with(|_| tools::valgrind()),
        Step::runs(
            "models",
            vec![Run::new("cargo test --release").within(root.join("models"))],
        ),
        Step::work("links", links::check),
        Step::runs("benches", vec![benches(root)]),
    ]
}

/// What Active Record does, as recorded: every scenario ends as the file beside the transcripts says.
fn conformance() -> Run {
    Run::new("cargo run --quiet --package relata-conformance --").args([
        "crates/relata-conformance/transcripts",
        "--expect",
        "crates/relata-conformance/expected.txt",
    ])
}

/// The library without features, and with each one alone.
fn features(packages: &[Package]) -> Vec<Run> {
    let clippy = || Run::new("cargo clippy --quiet -p relata --no-default-features");
    let mut runs = vec![clippy().args(["--", "-D", "warnings"])];
    for package in packages.iter().filter(|package| package.name == "relata") {
        for feature in package.features() {
            runs.push(clippy().args(["--features", &feature, "--", "-D", "warnings"]));
        }
    }
    runs
}

/// The compiler that the manifest states, when it is not the one in use.
fn oldest_compiler(root: &Path) -> Result<(), String> {
    let manifest =
        std::fs::read_to_string(root.join("Cargo.toml")).map_err(|why| why.to_string())?;
    let stated = workspace::value(&manifest, "workspace.package", "rust-version")
        .ok_or("Cargo.toml states no rust-version")?;
    let current = Run::new("rustc --version").output()?;
    if current
        .split_whitespace()
        .nth(1)
        .is_some_and(|version| version.starts_with(&format!("{stated}.")))
    {
        println!(
            "the compiler in use is the oldest that we support, {stated}: every step tests it"
        );
        return Ok(());
    }
    Run::new("rustup run")
        .args([
            stated.as_str(),
            "cargo",
            "check",
            "--workspace",
            "--all-features",
        ])
        .env(
            "CARGO_TARGET_DIR",
            root.join("target/oldest").to_string_lossy(),
        )
        .run()
}

/// (package, test) of the integration tests whose name starts with a prefix.
fn integration_tests(packages: &[Package], prefix: &str) -> Vec<(String, String)> {
    let of = |package: &Package| {
        let name = package.name.clone();
        package
            .tests(prefix)
            .into_iter()
            .map(move |test| (name.clone(), test))
    };
    packages.iter().flat_map(of).collect()
}

/// The tests that abuse the safe surface: integration tests named `soundness*`, and the unit tests of the library.
fn soundness(packages: &[Package]) -> Vec<Run> {
    let mut runs = vec![Run::new("cargo test -p relata --lib")];
    for (package, test) in integration_tests(packages, "soundness") {
        runs.push(Run::new("cargo test").args(["-p", &package, "--test", &test]));
    }
    runs
}

/// The soundness tests with every access checked. The switch is unstable, the runtime ships with the stable compiler.
fn address_sanitizer(packages: &[Package]) -> Vec<Run> {
    let checked = |run: Run| {
        run.args(["--target", "x86_64-unknown-linux-gnu"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Zsanitizer=address")
            .env("CARGO_TARGET_DIR", "target/address-sanitizer")
    };
    soundness(packages).into_iter().map(checked).collect()
}

/// A test run under valgrind; what is still reachable at the end (runtimes, static tables) is no leak.
/// Models that are declared at run time live for ever.
fn memcheck(root: &Path, run: Run) -> Run {
    let lives_for_ever = root.join("xtask/valgrind.supp");
    let valgrind = format!(
        "valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite --suppressions={}",
        lives_for_ever.display()
    );
    run.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", valgrind)
        .env("RELATA_UNDER_VALGRIND", "1")
}

/// Every contender of the benchmark, once and small: their checksums must agree.
fn benches(root: &Path) -> Run {
    Run::new("cargo run --quiet --release -- --check").within(root.join("benches"))
}
