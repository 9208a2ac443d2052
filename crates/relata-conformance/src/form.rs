//! The forms of the transcript language: what a step does, as a tree.
//!
//! Invariant: a form that is read here is understood; what is not in the language is refused with its JSON, never
//! passed over.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

/// One form. Section 5 of the format.
#[derive(Debug, Clone)]
pub enum Form {
    /// A method on a value, or a helper of the language.
    Call(Box<Call>),
    /// Assigns a variable.
    Let(String, Box<Form>),
    /// Assigns the items of a list.
    LetMany(Vec<String>, Box<Form>),
    /// A literal.
    Literal(Json),
    /// A symbol.
    Name(String),
    /// A variable.
    Var(String),
    /// A model, a module of the scenario or a class of Rails.
    Class(String),
    /// Self of the surrounding code.
    This,
    /// The overridden method.
    Super(Vec<Form>),
    /// A list.
    List(Vec<Form>),
    /// A map, with symbols or strings as keys.
    Map(Vec<(String, Form)>, Keys),
    /// Keyword arguments; only the last of a call's arguments.
    Options(Vec<(String, Form)>),
    /// The items of a list, one by one; only among arguments or in a list.
    Splat(Box<Form>),
    /// The parts as one string.
    Concat(Vec<Form>),
    /// The first unless it is nil or false.
    Or(Box<Form>, Box<Form>),
    /// The second unless the first is nil or false.
    And(Box<Form>, Box<Form>),
    /// True of nil and false.
    Not(Box<Form>),
    /// A condition.
    If(Box<Form>, Box<Form>, Option<Box<Form>>),
    /// One after the other.
    Sequence(Vec<Form>),
    /// Raises an error.
    Raise(String, Option<Box<Form>>),
    /// Writes to the event log.
    Log(Box<Form>),
    /// From, to, and whether the end is left out.
    Range(Box<Form>, Box<Form>, bool),
    /// A callable.
    Lambda(Arc<Code>),
    /// Defines a method on a class.
    Define(Arc<Method>, Box<Form>),
    /// A value without counterpart outside Ruby.
    RubyOnly,
}

/// What a map's keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Symbols.
    Symbols,
    /// Strings.
    Strings,
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The receiver; none for a helper.
    pub on: Option<Form>,
    /// The method.
    pub name: String,
    /// The arguments; keyword arguments come last.
    pub args: Vec<Form>,
    /// The block.
    pub block: Option<Block>,
    /// Whether a nil receiver gives nil.
    pub safe: bool,
}

/// What stands in the `block` of a call.
#[derive(Debug, Clone)]
pub enum Block {
    /// Code.
    Code(Arc<Code>),
    /// `&:title`.
    Method(String),
}

/// Scopes, callables, methods and blocks. Section 4 of the format.
#[derive(Debug, Clone)]
pub struct Code {
    /// The parameters.
    pub params: Vec<Param>,
    /// What is run, in order.
    pub body: Vec<Form>,
}

/// A parameter of code.
#[derive(Debug, Clone)]
pub enum Param {
    /// One variable.
    One(String),
    /// Takes a list apart.
    Many(Vec<String>),
}

/// A method of a model, an extension or a module.
#[derive(Debug, Clone)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// What it does.
    pub code: Code,
    /// Whether it is one of the module itself.
    pub singleton: bool,
}

/// The result of reading a part of a transcript; the error says what is not of the language.
pub type Parsed<T> = Result<T, String>;

fn unknown<T>(what: &str, json: &Json) -> Parsed<T> {
    Err(format!("{what}: {json}"))
}

fn text(json: &Json) -> Parsed<String> {
    json.as_str()
        .map(str::to_owned)
        .map_or_else(|| unknown("a name is expected", json), Ok)
}

fn texts(json: &Json) -> Parsed<Vec<String>> {
    json.as_array().map_or_else(
        || unknown("names are expected", json),
        |all| all.iter().map(text).collect(),
    )
}

fn forms(json: &Json) -> Parsed<Vec<Form>> {
    json.as_array().map_or_else(
        || unknown("a list of forms is expected", json),
        |all| all.iter().map(Form::parse).collect(),
    )
}

fn pairs(json: &Json) -> Parsed<Vec<(String, Form)>> {
    let Some(map) = json.as_object() else {
        return unknown("a map of forms is expected", json);
    };
    map.iter()
        .map(|(key, form)| Ok((key.clone(), Form::parse(form)?)))
        .collect()
}

fn boxed(json: &Json) -> Parsed<Box<Form>> {
    Form::parse(json).map(Box::new)
}

fn flag(map: &Map<String, Json>, key: &str) -> bool {
    map.get(key) == Some(&Json::Bool(true))
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// What is not of the language.
    pub fn parse(json: &Json) -> Parsed<Self> {
        let Some(map) = json.as_object() else {
            return unknown("a form is expected", json);
        };
        // The first key of the language decides, in the order of section 5.
        let at = |key: &str| map.get(key);
        if let Some(name) = at("call") {
            return Ok(Self::Call(Box::new(Call {
                on: at("on").map(Self::parse).transpose()?,
                name: text(name)?,
                args: at("args").map_or_else(|| Ok(Vec::new()), forms)?,
                block: at("block").map(Block::parse).transpose()?,
                safe: flag(map, "safe"),
            })));
        }
        if let Some(name) = at("let") {
            return Ok(Self::Let(
                text(name)?,
                boxed(map.get("value").unwrap_or(&Json::Null))?,
            ));
        }
        if let Some(names) = at("let_many") {
            return Ok(Self::LetMany(
                texts(names)?,
                boxed(map.get("value").unwrap_or(&Json::Null))?,
            ));
        }
        if let Some(value) = at("value") {
            return Ok(Self::Literal(value.clone()));
        }
        if let Some(name) = at("name") {
            return text(name).map(Self::Name);
        }
        if let Some(name) = at("var") {
            return text(name).map(Self::Var);
        }
        if let Some(name) = at("class") {
            return text(name).map(Self::Class);
        }
        if flag(map, "self") {
            return Ok(Self::This);
        }
        if flag(map, "super") {
            return Ok(Self::Super(
                at("args").map_or_else(|| Ok(Vec::new()), forms)?,
            ));
        }
        if let Some(items) = at("list") {
            return forms(items).map(Self::List);
        }
        if let Some(entries) = at("map") {
            let strings = at("keys").and_then(Json::as_str) == Some("strings");
            let keys = if strings {
                Keys::Strings
            } else {
                Keys::Symbols
            };
            return Ok(Self::Map(pairs(entries)?, keys));
        }
        if let Some(parts) = at("concat") {
            return forms(parts).map(Self::Concat);
        }
        if let Some(two) = at("or") {
            return two_of(two).map(|(a, b)| Self::Or(a, b));
        }
        if let Some(two) = at("and") {
            return two_of(two).map(|(a, b)| Self::And(a, b));
        }
        if let Some(one) = at("not") {
            return boxed(one).map(Self::Not);
        }
        if let Some(condition) = at("if") {
            let Some(then) = at("then") else {
                return unknown("`then` is expected", json);
            };
            return Ok(Self::If(
                boxed(condition)?,
                boxed(then)?,
                at("else").map(boxed).transpose()?,
            ));
        }
        if let Some(all) = at("sequence") {
            return forms(all).map(Self::Sequence);
        }
        if let Some(class) = at("raise") {
            return Ok(Self::Raise(
                text(class)?,
                at("message").map(boxed).transpose()?,
            ));
        }
        if let Some(line) = at("log") {
            return boxed(line).map(Self::Log);
        }
        if let Some(ends) = at("range") {
            let end = |form: &Json| match form {
                Json::Null => Ok(Box::new(Self::Literal(Json::Null))),
                form => boxed(form),
            };
            return match ends.as_array().map(Vec::as_slice) {
                Some([from, to]) => Ok(Self::Range(end(from)?, end(to)?, flag(map, "exclusive"))),
                _ => unknown("two ends are expected", json),
            };
        }
        if let Some(code) = at("lambda") {
            return Code::parse(code).map(|code| Self::Lambda(Arc::new(code)));
        }
        if let Some(method) = at("define") {
            let Some(on) = at("on") else {
                return unknown("a class is expected", json);
            };
            return Ok(Self::Define(Arc::new(Method::parse(method)?), boxed(on)?));
        }
        if flag(map, "ruby_only") {
            return Ok(Self::RubyOnly);
        }
        if let Some(inner) = at("splat") {
            return boxed(inner).map(Self::Splat);
        }
        if let Some(entries) = at("options") {
            return pairs(entries).map(Self::Options);
        }
        unknown("no form of the language", json)
    }

    /// Whether the form gives no value that could be compared, somewhere inside.
    #[must_use]
    pub fn is_ruby_only(&self) -> bool {
        matches!(self, Self::RubyOnly)
    }
}

fn two_of(json: &Json) -> Parsed<(Box<Form>, Box<Form>)> {
    match json.as_array().map(Vec::as_slice) {
        Some([a, b]) => Ok((boxed(a)?, boxed(b)?)),
        _ => unknown("two forms are expected", json),
    }
}

impl Block {
    fn parse(json: &Json) -> Parsed<Self> {
        match json.get("to_proc") {
            Some(name) => text(name).map(Self::Method),
            None => Code::parse(json).map(|code| Self::Code(Arc::new(code))),
        }
    }
}

impl Code {
    /// Reads code.
    ///
    /// # Errors
    /// What is not of the language.
    pub fn parse(json: &Json) -> Parsed<Self> {
        let param = |json: &Json| match json {
            Json::Array(_) => texts(json).map(Param::Many),
            json => text(json).map(Param::One),
        };
        let params = match json.get("params").and_then(Json::as_array) {
            Some(params) => params.iter().map(param).collect::<Parsed<_>>()?,
            None => Vec::new(),
        };
        match json.get("body") {
            Some(body) => Ok(Self {
                params,
                body: forms(body)?,
            }),
            None => unknown("code is expected", json),
        }
    }
}

impl Method {
    /// Reads a method.
    ///
    /// # Errors
    /// What is not of the language.
    pub fn parse(json: &Json) -> Parsed<Self> {
        let Some(name) = json.get("name") else {
            return unknown("a method is expected", json);
        };
        Ok(Self {
            name: text(name)?,
            code: Code::parse(json)?,
            singleton: json.get("singleton") == Some(&Json::Bool(true)),
        })
    }
}
