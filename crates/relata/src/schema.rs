//! Tables from models, and models against tables.
//!
//! Invariant: the tables made from a set of models pass the check against the same models.

mod check;
mod table;

use std::sync::Arc;

pub use check::{Difference, DifferenceKind};

use crate::db::adapter::{Purpose, Statement};
use crate::db::{Db, Written};
use crate::error::{Error, Result};
use crate::pending::Pending;
use crate::reflection::{ModelReflection, mistakes, wrong_defaults};
use crate::sql::schema;

fn statement(text: Arc<str>, writes: bool) -> Statement {
    Statement {
        text,
        binds: Vec::new(),
        reuse: false,
        writes,
        purpose: Purpose::Schema,
        model: None,
    }
}

/// These models, and those of the tables between them, each table once; what is wrong with the declaration of one goes to
/// `refused`.
fn with_tables_between(
    models: Vec<&'static ModelReflection>,
    mut refused: impl FnMut(Error) -> Result<()>,
) -> Result<Vec<&'static ModelReflection>> {
    let mut all = models.clone();
    // Subclasses have no table of their own, and may declare what has one between.
    let classes = models
        .into_iter()
        .flat_map(|model| std::iter::once(model).chain(model.descendants()));
    for model in classes {
        for (position, association) in model.reflections().iter().enumerate() {
            // What a subclass inherits is that of its parent.
            if !association.is_over_rows_between() || association.inherited {
                continue;
            }
            let between = match model.resolve(position) {
                Ok(resolved) => resolved.target,
                Err(error) => {
                    refused(error)?;
                    continue;
                }
            };
            if all.iter().all(|known| known.table() != between.table()) {
                all.push(between);
            }
        }
    }
    Ok(all)
}

impl Db {
    /// Makes the tables of models, and those between models that have and belong to many of each other, with keys, foreign
    /// keys, indexes and defaults, in one transaction. For first steps and tests; a real schema has migrations.
    ///
    /// SQL: `CREATE TABLE` and `CREATE INDEX` for each, between `BEGIN` and `COMMIT`.
    ///
    /// Errors: `StatementInvalid` when a table is there already; what is wrong with a declaration.
    #[track_caller]
    pub fn create_tables(
        &self,
        models: impl IntoIterator<Item = &'static ModelReflection>,
    ) -> Pending<()> {
        let (db, models) = (self.clone(), models.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            let dialect = db.dialect();
            db.transaction(async || {
                let mut later = Vec::new();
                for model in with_tables_between(models, Err)? {
                    if let Some(wrong) = wrong_defaults(model).next() {
                        return Err(wrong);
                    }
                    let (now, then) = schema::create(model, dialect)?;
                    later.extend(then);
                    for text in now {
                        db.execute(statement(Arc::from(text), true), Written::Any)
                            .await?;
                    }
                }
                for text in later {
                    db.execute(statement(Arc::from(text), true), Written::Any)
                        .await?;
                }
                Ok(())
            })
            .await
        })
    }

    /// The report for the start of a program: every mistake in the declarations of models and of all that these lead to,
    /// as [`check_models`](crate::reflection::check_models) finds them, then each difference between these models and the
    /// tables they name: tables, columns and keys that are not there, nulls, types, defaults, uniqueness, indexes and
    /// foreign keys. Nothing when all is well. What a table has beyond its model is no difference, as long as a row can be
    /// inserted.
    ///
    /// Three SELECTs a model, of the database's own tables.
    ///
    /// Errors: what the database says.
    #[track_caller]
    pub fn check_tables(
        &self,
        models: impl IntoIterator<Item = &'static ModelReflection>,
    ) -> Pending<Vec<Difference>> {
        let (db, models) = (self.clone(), models.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            let wrong = mistakes(models.clone()).into_iter();
            let mut differences: Vec<_> = wrong.map(Difference::of_declaration).collect();
            // What is wrong with it is told already.
            for model in with_tables_between(models, |_| Ok(()))? {
                differences.extend(check::differences(&db, model).await?);
            }
            Ok(differences)
        })
    }
}
