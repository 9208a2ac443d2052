//! What one scenario runs in: its database, models, clock, event log and variables.
//!
//! Invariant: two scenarios share nothing; each has a fresh database in memory, and its clock stands at the start.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use relata::db::Violation;
use relata::reflection::{AssociationReflection, ModelReflection};
use relata::{Db, DestroyJob, Options, Record};

use crate::clock;
use crate::eval::Env;
use crate::form::Method;
use crate::jobs::Jobs;
use crate::schema;
use crate::settings;
use crate::stop::{Ran, Stop};
use crate::transcript::{Declaration, Model, Scenario, Table};
use crate::value::{Class, Reflection, Value};

/// The world of a scenario.
pub struct World {
    /// The database.
    pub db: Db,
    /// The tables of the transcript.
    pub tables: Vec<Table>,
    /// The settings of the scenario.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// The variables of the steps.
    pub steps: Env,
    modules: HashMap<String, Vec<Arc<Method>>>,
    /// The models as declared so far.
    declared: RwLock<Vec<Model>>,
    defined: RwLock<HashMap<String, &'static ModelReflection>>,
    log: Mutex<Vec<String>>,
    /// What went wrong where nothing could be returned: in a scope.
    complaint: Mutex<Option<Stop>>,
    seconds: AtomicI64,
    /// What asynchronous destroys left for later.
    pub jobs: Mutex<Vec<DestroyJob>>,
    /// What passwords of records were set to, which relata shows nobody.
    secrets: Mutex<Vec<(Record, String, String)>>,
    /// The objects that were asked for their identity.
    identities: Mutex<Vec<Value>>,
    /// The methods that were defined on classes while steps ran, by the class's name.
    defined_on: Mutex<Vec<(String, Arc<Method>)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// The world of a scenario: tables made, models defined, nothing run.
    ///
    /// # Errors
    /// The stop that ends the scenario: an option that relata lacks, an error in a declaration.
    pub async fn new(scenario: &Scenario) -> Ran<Arc<Self>> {
        settings::check_settings(&scenario.config)?;
        let mut options = Options::new().log(false).log_binds(true);
        if scenario.config.get("action_on_strict_loading_violation") == Some(&"log".into()) {
            options = options.strict_loading_violation(Violation::Log);
        }
        let db = Db::connect_with("sqlite::memory:", options).await?;
        db.stop_clock_at(clock::START);
        settings::follow(&db, &scenario.config)?;
        let modules = scenario.modules.iter();
        let world = Arc::new(Self {
            db,
            tables: scenario.tables.clone(),
            config: scenario.config.clone(),
            steps: Env::steps(),
            modules: modules
                .map(|one| (one.name.clone(), one.methods.clone()))
                .collect(),
            declared: RwLock::new(scenario.models.clone()),
            defined: RwLock::default(),
            log: Mutex::default(),
            complaint: Mutex::default(),
            seconds: AtomicI64::new(0),
            jobs: Mutex::default(),
            secrets: Mutex::default(),
            identities: Mutex::default(),
            defined_on: Mutex::default(),
        });
        world.db.set_job_queue(Jobs::of(&world));
        schema::create_tables(&world.db, &world.tables).await?;
        world.define()?;
        Ok(world)
    }

    /// Defines all models anew, from what is declared so far.
    fn define(self: &Arc<Self>) -> Ran<()> {
        let declared = self.declared();
        let defined = schema::define(self, &declared)?;
        *self.defined.write().unwrap_or_else(PoisonError::into_inner) = defined;
        Ok(())
    }

    /// Adds a declaration to a model that is there already.
    ///
    /// # Errors
    /// What is wrong with the declaration; the models stay as they were then.
    pub fn declare(self: &Arc<Self>, model: &str, declaration: Declaration) -> Ran<()> {
        let before = self.declared();
        if let Some(model) = self
            .declared_mut()
            .iter_mut()
            .find(|known| known.name == model)
        {
            model.declarations.push(declaration);
        }
        let done = self.define();
        if done.is_err() {
            *self.declared_mut() = before;
        }
        done
    }

    fn declared_mut(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Model>> {
        self.declared
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a password was set to.
    pub fn keep_secret(&self, record: &Record, name: &str, text: Option<&str>) {
        let mut all = lock(&self.secrets);
        all.retain(|(known, of, _)| !(known.is(record) && of == name));
        if let Some(text) = text {
            all.push((record.clone(), name.to_owned(), text.to_owned()));
        }
    }

    /// What a password was set to.
    #[must_use]
    pub fn secret(&self, record: &Record, name: &str) -> Option<String> {
        let all = lock(&self.secrets);
        let mut found = all
            .iter()
            .filter(|(known, of, _)| known.is(record) && of == name);
        found.next().map(|(.., text)| text.clone())
    }

    /// The models as declared so far.
    #[must_use]
    pub fn declared(&self) -> Vec<Model> {
        self.declared
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The declarations of a model, and before them those of its parents.
    #[must_use]
    pub fn declarations(&self, model: &str) -> Vec<Declaration> {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let (mut all, mut name) = (Vec::new(), Some(model));
        // Those of a parent come first: a subclass may say it anew.
        while let Some(found) = name.and_then(|name| declared.iter().find(|one| one.name == name)) {
            all.splice(0..0, found.declarations.iter().cloned());
            name = found.extends.as_deref();
        }
        all
    }

    /// The declaration of that name, by one of these macros.
    #[must_use]
    pub fn declaration(&self, model: &str, name: &str, kinds: &[&str]) -> Option<Declaration> {
        self.declarations(model)
            .into_iter()
            .rfind(|one| one.name.as_deref() == Some(name) && kinds.contains(&one.kind.as_str()))
    }

    /// The model of that name.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&'static ModelReflection> {
        let defined = self.defined.read().unwrap_or_else(PoisonError::into_inner);
        defined.get(name).copied()
    }

    /// All models.
    #[must_use]
    pub fn models(&self) -> Vec<&'static ModelReflection> {
        let defined = self.defined.read().unwrap_or_else(PoisonError::into_inner);
        defined.values().copied().collect()
    }

    /// An association, with the model that declares it.
    #[must_use]
    pub fn reflection(&self, declaration: &'static AssociationReflection) -> Value {
        let defined = self.defined.read().unwrap_or_else(PoisonError::into_inner);
        let declares = |model: &&&'static ModelReflection| {
            let mut own = model.reflections().iter();
            own.any(|one| std::ptr::eq(one, declaration))
        };
        defined.values().find(declares).map_or(Value::Nil, |model| {
            Value::Reflection(Reflection { model, declaration })
        })
    }

    /// What a class is.
    #[must_use]
    pub fn class(&self, name: &str) -> Class {
        if self.model(name).is_some() {
            Class::Model(name.into())
        } else if self.modules.contains_key(name) {
            Class::Module(name.into())
        } else {
            Class::Foreign(name.into())
        }
    }

    /// A method of a module.
    #[must_use]
    pub fn module_method(&self, module: &str, name: &str, singleton: bool) -> Option<Arc<Method>> {
        let methods = self.modules.get(module)?;
        methods
            .iter()
            .find(|method| method.name == name && method.singleton == singleton)
            .cloned()
    }

    /// Defines a method on a class itself, in the place of an earlier one.
    pub fn define_on(&self, class: &Class, method: Arc<Method>) {
        let mut all = lock(&self.defined_on);
        all.retain(|(name, known)| *name != class.name() || known.name != method.name);
        all.push((class.name().to_string(), method));
    }

    /// The method that was defined on a class itself.
    #[must_use]
    pub fn method_on(&self, class: &Class, name: &str) -> Option<Arc<Method>> {
        let all = lock(&self.defined_on);
        let is = |(of, method): &&(String, Arc<Method>)| *of == class.name() && method.name == name;
        all.iter().find(is).map(|(_, method)| Arc::clone(method))
    }

    /// Writes an event.
    pub fn write_log(&self, line: String) {
        lock(&self.log).push(line);
    }

    /// The events so far, which are taken away.
    #[must_use]
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.log))
    }

    /// The events of the running step.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    /// Keeps what went wrong in a scope.
    pub fn complain(&self, stop: Stop) {
        lock(&self.complaint).get_or_insert(stop);
    }

    /// What went wrong in a scope.
    #[must_use]
    pub fn take_complaint(&self) -> Option<Stop> {
        lock(&self.complaint).take()
    }

    /// Moves the clock forward; gives the seconds since the start.
    pub fn tick(&self, seconds: i64) -> i64 {
        let passed = self.seconds.fetch_add(seconds, Ordering::Relaxed) + seconds;
        self.db.stop_clock_at(clock::START + passed * 1_000_000);
        passed
    }

    /// A number that is the same for the same object, and for no other.
    #[must_use]
    pub fn identity(&self, value: &Value) -> i64 {
        let mut known = lock(&self.identities);
        let at = known
            .iter()
            .position(|other| crate::value::same(other, value))
            .unwrap_or_else(|| {
                known.push(value.clone());
                known.len() - 1
            });
        i64::try_from(at).unwrap_or(i64::MAX) * 8 + 8
    }

    /// The names of the step variables that hold this very twin of a record.
    #[must_use]
    pub fn holders_of_twin(&self, twin: &Arc<Record>) -> Vec<String> {
        let all = self.steps.variables();
        let holds = |value: &Value| matches!(value, Value::Twin(held) if Arc::ptr_eq(held, twin));
        all.into_iter()
            .filter(|(_, value)| holds(value))
            .map(|(name, _)| name)
            .collect()
    }

    /// The names of the step variables that hold this very record.
    #[must_use]
    pub fn holders(&self, record: &Record) -> Vec<String> {
        let all = self.steps.variables();
        let holds = |value: &Value| matches!(value, Value::Record(held) if held.is(record));
        all.into_iter()
            .filter(|(_, value)| holds(value))
            .map(|(name, _)| name)
            .collect()
    }
}
