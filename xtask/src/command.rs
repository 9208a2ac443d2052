//! Running programs: each command is printed before it runs, in a form that can be pasted into a shell.
//!
//! Invariant: nothing runs that was not printed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program, its arguments, its folder and what it finds in its environment.
#[derive(Clone, Debug)]
pub struct Run {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
}

impl Run {
    /// A command from its words; words never contain spaces here, so one line reads as it would in a shell.
    pub fn new(line: &str) -> Self {
        let mut words = line.split_whitespace().map(str::to_string);
        let program = words.next().unwrap_or_default();
        Self {
            program,
            arguments: words.collect(),
            environment: Vec::new(),
            folder: None,
        }
    }

    /// One more argument, spaces and all.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_string(), value.into()));
        self
    }

    /// The folder it runs in.
    pub fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_path_buf());
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        // What cargo tells a program it runs must not leak into the cargo that this program runs.
        for (name, _) in std::env::vars() {
            if name.starts_with("CARGO_PKG_")
                || name == "CARGO_MANIFEST_DIR"
                || name == "CARGO_MANIFEST_PATH"
            {
                command.env_remove(name);
            }
        }
        command
    }

    /// Prints the command and runs it; its output goes where ours goes.
    pub fn run(&self) -> Result<(), String> {
        println!("$ {self}");
        let status = self
            .command()
            .status()
            .map_err(|why| format!("cannot run `{}`: {why}", self.program))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{self}` failed: {status}"))
        }
    }

    /// Prints the command, runs it and gives what it wrote to its standard output.
    pub fn output(&self) -> Result<String, String> {
        println!("$ {self}");
        self.quiet_output()
    }

    /// Runs the command and gives what it wrote to its standard output.
    pub fn quiet_output(&self) -> Result<String, String> {
        let output = self
            .command()
            .stderr(Stdio::piped())
            .output()
            .map_err(|why| format!("cannot run `{}`: {why}", self.program))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!(
                "`{self}` failed: {}\n{}",
                output.status,
                said.trim_end()
            ))
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.folder {
            write!(f, "cd {} && ", folder.display())?;
        }
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&self.program)?;
        for argument in &self.arguments {
            write!(f, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.,:+@*%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{word}'")
    }
}
