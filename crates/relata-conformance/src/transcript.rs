//! A transcript: one scenario as it stands in its file.
//!
//! Invariant: reading a transcript knows nothing of relata; what it means is decided elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::form::{Code, Form, Method, Parsed};

/// One scenario.
#[derive(Debug)]
pub struct Scenario {
    /// `area/name`.
    pub name: String,
    /// Settings that differ from the defaults.
    pub config: Map<String, Json>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The modules of methods.
    pub modules: Vec<Module>,
    /// The models, in the order of definition.
    pub models: Vec<Model>,
    /// Statements that come first and are not compared.
    pub setup: Vec<Statement>,
    /// Statements that are compared.
    pub steps: Vec<Step>,
    /// All rows of every table at the end.
    pub final_tables: Option<Map<String, Json>>,
    /// The error that a declaration raises.
    pub declaration_error: Option<Json>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The columns of its key.
    pub primary_key: Vec<String>,
    /// The columns, in order.
    pub columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// `integer`, `string`, `datetime` or `boolean`.
    pub kind: String,
    /// Whether the database generates it.
    pub auto: bool,
    /// The default.
    pub default: Option<Json>,
}

/// A module of methods.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its methods.
    pub methods: Vec<Arc<Method>>,
}

/// A model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// The model it inherits from.
    pub extends: Option<String>,
    /// Its declarations, in order.
    pub declarations: Vec<Declaration>,
}

/// One declaration of a model.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The macro.
    pub kind: String,
    /// The name that is declared, if the macro has one.
    pub name: Option<String>,
    /// Keyword arguments.
    pub options: Map<String, Json>,
    /// Positional arguments.
    pub args: Vec<Json>,
    /// The scope.
    pub scope: Option<Arc<Code>>,
    /// Methods that an association adds to its collection.
    pub extension: Vec<Arc<Method>>,
    /// The method, of the macro `method`.
    pub method: Option<Arc<Method>>,
    /// Everything that was written, for what is read where it is used.
    pub written: Json,
}

/// A statement of the setup.
#[derive(Debug)]
pub struct Statement {
    /// What a person reads.
    pub source: String,
    /// What is run; none for one that asks Ruby.
    pub form: Option<Form>,
}

/// A step.
#[derive(Debug)]
pub struct Step {
    /// Its number.
    pub number: u64,
    /// What a person reads.
    pub source: String,
    /// What is run; none for one that asks Ruby.
    pub form: Option<Form>,
    /// What Rails returned; none where it raised.
    pub returns: Option<Json>,
    /// What Rails raised.
    pub raises: Option<Json>,
    /// The statements, in order.
    pub sql: Vec<String>,
    /// How many, without transaction control and cached ones.
    pub queries: usize,
    /// The events.
    pub log: Vec<String>,
}

fn field<'a>(json: &'a Json, key: &str) -> Parsed<&'a Json> {
    json.get(key)
        .ok_or_else(|| format!("`{key}` is missing in {json}"))
}

fn string(json: &Json, key: &str) -> Parsed<String> {
    match field(json, key)? {
        Json::String(text) => Ok(text.clone()),
        other => Err(format!("`{key}` is no text: {other}")),
    }
}

fn items<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json.get(key)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

fn entries(json: &Json, key: &str) -> Map<String, Json> {
    json.get(key)
        .and_then(Json::as_object)
        .cloned()
        .unwrap_or_default()
}

fn strings(json: &Json, key: &str) -> Vec<String> {
    items(json, key)
        .iter()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// What cannot be read or is not of the format.
    pub fn read(path: &Path) -> Parsed<Self> {
        let text =
            std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        let json: Json =
            serde_json::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        Self::parse(&json).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// What is not of the format.
    pub fn parse(json: &Json) -> Parsed<Self> {
        Ok(Self {
            name: string(json, "name")?,
            config: entries(json, "config"),
            tables: items(json, "schema")
                .iter()
                .map(Table::parse)
                .collect::<Parsed<_>>()?,
            modules: items(json, "modules")
                .iter()
                .map(Module::parse)
                .collect::<Parsed<_>>()?,
            models: items(json, "models")
                .iter()
                .map(Model::parse)
                .collect::<Parsed<_>>()?,
            setup: items(json, "setup")
                .iter()
                .map(Statement::parse)
                .collect::<Parsed<_>>()?,
            steps: items(json, "steps")
                .iter()
                .map(Step::parse)
                .collect::<Parsed<_>>()?,
            final_tables: json.get("final_tables").and_then(Json::as_object).cloned(),
            declaration_error: json.get("declaration_error").cloned(),
        })
    }
}

impl Table {
    fn parse(json: &Json) -> Parsed<Self> {
        let column = |(name, json): (&String, &Json)| {
            Ok(TableColumn {
                name: name.clone(),
                kind: string(json, "type")?,
                auto: json.get("auto") == Some(&Json::Bool(true)),
                default: json
                    .get("default")
                    .filter(|default| !default.is_null())
                    .cloned(),
            })
        };
        Ok(Self {
            name: string(json, "table")?,
            primary_key: strings(json, "primary_key"),
            columns: entries(json, "columns")
                .iter()
                .map(column)
                .collect::<Parsed<_>>()?,
        })
    }
}

impl Module {
    fn parse(json: &Json) -> Parsed<Self> {
        Ok(Self {
            name: string(json, "name")?,
            methods: methods(json, "methods")?,
        })
    }
}

fn methods(json: &Json, key: &str) -> Parsed<Vec<Arc<Method>>> {
    items(json, key)
        .iter()
        .map(|one| Method::parse(one).map(Arc::new))
        .collect()
}

impl Model {
    fn parse(json: &Json) -> Parsed<Self> {
        Ok(Self {
            name: string(json, "name")?,
            extends: json
                .get("extends")
                .and_then(Json::as_str)
                .map(str::to_owned),
            declarations: items(json, "declarations")
                .iter()
                .map(Declaration::parse)
                .collect::<Parsed<_>>()?,
        })
    }
}

impl Declaration {
    fn parse(json: &Json) -> Parsed<Self> {
        let kind = string(json, "macro")?;
        let method = match kind.as_str() {
            "method" => Some(Arc::new(Method::parse(json)?)),
            _ => None,
        };
        Ok(Self {
            name: json.get("name").and_then(Json::as_str).map(str::to_owned),
            options: entries(json, "options"),
            args: items(json, "args").to_vec(),
            scope: json
                .get("scope")
                .filter(|scope| scope.is_object())
                .map(|scope| Code::parse(scope).map(Arc::new))
                .transpose()?,
            extension: methods(json, "extension")?,
            method,
            kind,
            written: json.clone(),
        })
    }
}

impl Statement {
    fn parse(json: &Json) -> Parsed<Self> {
        Ok(Self {
            source: string(json, "do")?,
            form: form(json)?,
        })
    }
}

/// A statement's form; none for one that asks Ruby.
fn form(json: &Json) -> Parsed<Option<Form>> {
    if json.get("ruby_only") == Some(&Json::Bool(true)) {
        return Ok(None);
    }
    Form::parse(field(json, "op")?).map(Some)
}

impl Step {
    fn parse(json: &Json) -> Parsed<Self> {
        let number = |key: &str| json.get(key).and_then(Json::as_u64).unwrap_or_default();
        let raises = json
            .get("raises")
            .filter(|raises| !raises.is_null())
            .cloned();
        Ok(Self {
            number: number("n"),
            source: string(json, "do")?,
            form: form(json)?,
            returns: match raises {
                Some(_) => None,
                None => Some(json.get("returns").cloned().unwrap_or(Json::Null)),
            },
            raises,
            sql: strings(json, "sql"),
            queries: usize::try_from(number("queries")).unwrap_or_default(),
            log: strings(json, "log"),
        })
    }
}

/// The transcripts in a folder and the folders in it, in the order of their paths; an `INDEX.json` is none.
///
/// # Errors
/// What cannot be read.
pub fn find(folder: &Path) -> Parsed<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_path_buf()];
    while let Some(folder) = left.pop() {
        let listed =
            std::fs::read_dir(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        for entry in listed {
            let path = entry
                .map_err(|why| format!("{}: {why}", folder.display()))?
                .path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|ending| ending == "json")
                && path.file_name().is_some_and(|name| name != "INDEX.json")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
