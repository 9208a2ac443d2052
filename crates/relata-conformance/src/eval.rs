//! Running forms: variables, blocks, code.
//!
//! Invariant: the parts of a form are run from left to right, each once, and a form that ends with a stop leaves what
//! was assigned before it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use serde_json::Value as Json;

use crate::form::{Block, Call, Code, Form, Keys, Method, Param};
use crate::stop::{Ran, Stop};
use crate::value::{Value, kind};
use crate::vocabulary;
use crate::world::World;

/// A form that is running.
pub type Running<'a, T = Value> = Pin<Box<dyn Future<Output = Ran<T>> + 'a>>;

/// The variables of a piece of code, and those around it.
#[derive(Clone)]
pub struct Env(Arc<Frame>);

struct Frame {
    variables: Mutex<Vec<(String, Value)>>,
    around: Option<Env>,
    this: Value,
    /// The method that is running, which `super` goes behind.
    method: Option<Arc<Method>>,
}

/// A block, or a lambda.
#[derive(Clone, Debug)]
pub enum Callable {
    /// Code, and the variables around it.
    Code(Arc<Code>, Env),
    /// Calls a method on what is yielded.
    Method(Arc<str>),
}

/// The arguments of a call.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// The positional ones.
    pub all: Vec<Value>,
    /// The keyword arguments.
    pub options: Option<Vec<(Value, Value)>>,
    /// The block.
    pub block: Option<Callable>,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}

impl Env {
    fn new(around: Option<Env>, this: Value, method: Option<Arc<Method>>) -> Self {
        Self(Arc::new(Frame {
            variables: Mutex::default(),
            around,
            this,
            method,
        }))
    }

    /// Where the steps of a scenario keep their variables.
    #[must_use]
    pub fn steps() -> Self {
        Self::new(None, Value::Nil, None)
    }

    /// Where code runs that sees nothing around it but its self.
    #[must_use]
    pub fn of_method(this: Value) -> Self {
        Self::new(None, this, None)
    }

    fn inside(&self) -> Self {
        Self::new(
            Some(self.clone()),
            self.0.this.clone(),
            self.0.method.clone(),
        )
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, Value)>> {
        self.0
            .variables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The variables of this piece of code, without those around it.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, Value)> {
        self.lock().clone()
    }

    fn find(&self, name: &str) -> Option<Value> {
        let own = self
            .lock()
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone());
        own.or_else(|| self.0.around.as_ref()?.find(name))
    }

    /// Sets the variable where it is known; gives the value back where it is not.
    fn replace(&self, name: &str, value: Value) -> Option<Value> {
        if let Some((_, held)) = self.lock().iter_mut().find(|(known, _)| known == name) {
            *held = value;
            return None;
        }
        match &self.0.around {
            Some(around) => around.replace(name, value),
            None => Some(value),
        }
    }

    /// Assigns a variable: the one around that is called so, or a new one here.
    pub fn assign(&self, name: &str, value: Value) {
        if let Some(value) = self.replace(name, value) {
            self.lock().push((name.to_owned(), value));
        }
    }

    /// Makes a variable here, whatever is around.
    fn bind(&self, name: &str, value: Value) {
        self.lock().push((name.to_owned(), value));
    }
}

impl Args {
    /// Positional arguments alone.
    #[must_use]
    pub fn of(all: Vec<Value>) -> Self {
        Self {
            all,
            ..Self::default()
        }
    }

    /// The same with records in place of their twins: who is given one is given the row.
    #[must_use]
    pub fn without_twins(mut self) -> Self {
        let record = |value: &mut Value| {
            if let Value::Twin(twin) = value {
                *value = Value::Record(relata::Record::clone(twin));
            }
        };
        self.all.iter_mut().for_each(record);
        let options = self.options.iter_mut().flatten();
        options.for_each(|(_, value)| record(value));
        self
    }

    /// The positional argument at a place; nil past the end.
    #[must_use]
    pub fn at(&self, index: usize) -> Value {
        self.all.get(index).cloned().unwrap_or(Value::Nil)
    }

    /// The attributes or conditions: keyword arguments, or a map in the first place.
    #[must_use]
    pub fn entries(&self) -> Vec<(Value, Value)> {
        match (&self.options, self.all.first()) {
            (Some(options), _) => options.clone(),
            (None, Some(Value::Map(map))) => map.to_vec(),
            _ => Vec::new(),
        }
    }

    /// A keyword argument.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<Value> {
        let options = self.options.as_ref()?;
        let found = options.iter().find(|(key, _)| key.as_text() == Some(name));
        found.map(|(_, value)| value.clone())
    }

    /// All arguments, the keyword ones as a map in the last place.
    #[must_use]
    pub fn with_map(&self) -> Vec<Value> {
        let mut all = self.all.clone();
        if let Some(options) = &self.options {
            all.push(Value::map(options.clone()));
        }
        all
    }
}

impl World {
    /// Runs a form.
    pub fn eval<'a>(self: &'a Arc<Self>, env: &'a Env, form: &'a Form) -> Running<'a> {
        Box::pin(async move {
            match form {
                Form::Call(call) => self.call(env, call).await,
                Form::Let(name, value) => {
                    let value = self.eval(env, value).await?;
                    env.assign(name, value.clone());
                    Ok(value)
                }
                Form::LetMany(names, value) => {
                    let value = self.eval(env, value).await?;
                    let items = vocabulary::items(self, &value).await?;
                    for (at, name) in names.iter().enumerate() {
                        env.assign(name, items.get(at).cloned().unwrap_or(Value::Nil));
                    }
                    Ok(value)
                }
                Form::Literal(json) => Ok(literal(json)),
                Form::Name(name) => Ok(Value::name(name)),
                Form::Var(name) => env.find(name).ok_or_else(|| {
                    Stop::raised("NameError", format!("undefined local variable '{name}'"))
                }),
                Form::Class(name) => Ok(Value::Class(self.class(name))),
                Form::This => Ok(env.0.this.clone()),
                Form::Super(args) => self.go_behind(env, args).await,
                Form::List(items) => Ok(Value::list(self.eval_all(env, items).await?.all)),
                Form::Map(entries, keys) => {
                    let entries = self.eval_entries(env, entries, *keys).await?;
                    Ok(Value::map(entries))
                }
                Form::Concat(parts) => {
                    let mut text = String::new();
                    for part in parts {
                        text.push_str(&self.eval(env, part).await?.to_text());
                    }
                    Ok(Value::text(&text))
                }
                Form::Or(one, other) => match self.eval(env, one).await? {
                    value if value.is_true() => Ok(value),
                    _ => self.eval(env, other).await,
                },
                Form::And(one, other) => match self.eval(env, one).await? {
                    value if value.is_true() => self.eval(env, other).await,
                    value => Ok(value),
                },
                Form::Not(one) => Ok(Value::Bool(!self.eval(env, one).await?.is_true())),
                Form::If(condition, then, otherwise) => {
                    if self.eval(env, condition).await?.is_true() {
                        return self.eval(env, then).await;
                    }
                    match otherwise {
                        Some(otherwise) => self.eval(env, otherwise).await,
                        None => Ok(Value::Nil),
                    }
                }
                Form::Sequence(all) => self.run_all(env, all).await,
                Form::Raise(class, message) => {
                    let message = match message {
                        Some(message) => self.eval(env, message).await?.to_text(),
                        None => class.clone(),
                    };
                    Err(Stop::raised(class, message))
                }
                Form::Log(line) => {
                    let line = self.eval(env, line).await?;
                    self.write_log(line.to_text());
                    Ok(Value::Nil)
                }
                Form::Range(from, to, exclusive) => {
                    let from = self.eval(env, from).await?;
                    let to = self.eval(env, to).await?;
                    Ok(Value::Range(Arc::new((from, to, *exclusive))))
                }
                Form::Lambda(code) => Ok(Value::Callable(Callable::Code(
                    Arc::clone(code),
                    env.clone(),
                ))),
                Form::Define(method, on) => match self.eval(env, on).await? {
                    Value::Class(class) => {
                        self.define_on(&class, Arc::clone(method));
                        Ok(Value::name(&method.name))
                    }
                    _ => Err(Stop::unsupported("a method defined on what is no class")),
                },
                Form::RubyOnly => Ok(Value::Wildcard),
                Form::Splat(_) | Form::Options(_) => Err(Stop::unsupported(
                    "a splat or keyword arguments outside of a call",
                )),
            }
        })
    }

    async fn eval_entries(
        self: &Arc<Self>,
        env: &Env,
        entries: &[(String, Form)],
        keys: Keys,
    ) -> Ran<Vec<(Value, Value)>> {
        let mut all = Vec::with_capacity(entries.len());
        for (key, form) in entries {
            let key = match keys {
                Keys::Symbols => Value::name(key),
                Keys::Strings => Value::text(key),
            };
            all.push((key, self.eval(env, form).await?));
        }
        Ok(all)
    }

    /// Arguments, or the items of a list.
    async fn eval_all(self: &Arc<Self>, env: &Env, forms: &[Form]) -> Ran<Args> {
        let mut args = Args::default();
        for form in forms {
            match form {
                Form::Options(entries) => {
                    args.options = Some(self.eval_entries(env, entries, Keys::Symbols).await?);
                }
                Form::Splat(inner) => {
                    let inner = self.eval(env, inner).await?;
                    args.all.extend(vocabulary::items(self, &inner).await?);
                }
                form => args.all.push(self.eval(env, form).await?),
            }
        }
        Ok(args)
    }

    async fn call(self: &Arc<Self>, env: &Env, call: &Call) -> Ran<Value> {
        let receiver = match &call.on {
            None => None,
            Some(on) => {
                let receiver = self.eval(env, on).await?;
                if call.safe && matches!(receiver, Value::Nil) {
                    return Ok(Value::Nil);
                }
                Some(receiver)
            }
        };
        let mut args = self.eval_all(env, &call.args).await?;
        args.block = call.block.as_ref().map(|block| match block {
            Block::Code(code) => Callable::Code(Arc::clone(code), env.clone()),
            Block::Method(name) => Callable::Method(name.as_str().into()),
        });
        let Some(receiver) = receiver else {
            return vocabulary::helper(self, &call.name, &args).await;
        };
        let assigns =
            call.name.ends_with('=') && !matches!(call.name.as_str(), "==" | "!=" | ">=" | "<=");
        let assigned = args.with_map().pop();
        let value = self.send(&receiver, &call.name, args).await?;
        Ok(match assigned {
            Some(assigned) if assigns => assigned,
            _ => value,
        })
    }

    /// Calls a method on a value.
    pub fn send<'a>(
        self: &'a Arc<Self>,
        receiver: &'a Value,
        name: &'a str,
        args: Args,
    ) -> Running<'a> {
        Box::pin(async move {
            let value = vocabulary::call(self, receiver, name, args).await;
            match self.take_complaint() {
                Some(stop) => Err(stop),
                None => value,
            }
        })
    }

    /// Runs forms in order; the value of the last.
    async fn run_all(self: &Arc<Self>, env: &Env, forms: &[Form]) -> Ran<Value> {
        let mut last = Value::Nil;
        for form in forms {
            last = self.eval(env, form).await?;
        }
        Ok(last)
    }

    /// Runs code with arguments, inside `env`.
    pub fn run_code<'a>(
        self: &'a Arc<Self>,
        env: &'a Env,
        code: &'a Code,
        args: Vec<Value>,
    ) -> Running<'a> {
        Box::pin(async move {
            let inside = env.inside();
            // One list for several parameters is taken apart, as a block does.
            let args = match (args.as_slice(), code.params.len()) {
                ([Value::List(list)], 2..) => list.items(),
                _ => args,
            };
            let mut args = args.into_iter();
            for param in &code.params {
                let value = args.next().unwrap_or(Value::Nil);
                match param {
                    Param::One(name) => inside.bind(name, value),
                    Param::Many(names) => {
                        let items = vocabulary::items(self, &value).await?;
                        for (at, name) in names.iter().enumerate() {
                            inside.bind(name, items.get(at).cloned().unwrap_or(Value::Nil));
                        }
                    }
                }
            }
            self.run_all(&inside, &code.body).await
        })
    }

    /// Runs a method of a model, an extension or a module.
    pub fn run_method<'a>(
        self: &'a Arc<Self>,
        this: &'a Value,
        method: &'a Arc<Method>,
        args: Vec<Value>,
    ) -> Running<'a> {
        Box::pin(async move {
            let env = Env::new(None, this.clone(), Some(Arc::clone(method)));
            self.run_code(&env, &method.code, args).await
        })
    }

    /// `super`: the method that the running one overrides.
    async fn go_behind(self: &Arc<Self>, env: &Env, args: &[Form]) -> Ran<Value> {
        let Some(method) = &env.0.method else {
            return Err(Stop::raised(
                "RuntimeError",
                "super called outside of method",
            ));
        };
        let args = self.eval_all(env, args).await?;
        vocabulary::generated(self, &env.0.this, &method.name, args).await
    }

    /// Calls a block or lambda.
    pub fn yield_to<'a>(self: &'a Arc<Self>, block: &'a Callable, args: Vec<Value>) -> Running<'a> {
        Box::pin(async move {
            match block {
                Callable::Code(code, env) => self.run_code(env, code, args).await,
                Callable::Method(name) => match args.split_first() {
                    Some((receiver, rest)) => {
                        self.send(receiver, name, Args::of(rest.to_vec())).await
                    }
                    None => Err(Stop::argument("no receiver given")),
                },
            }
        })
    }
}

fn literal(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::Float(value),
            (None, None) => Value::Nil,
        },
        Json::String(text) => Value::text(text),
        other => Value::text(&format!("no literal of {}: {other}", kind(&Value::Nil))),
    }
}

/// The result of a future that never has to wait; none if it does.
pub fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
