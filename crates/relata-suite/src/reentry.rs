//! Callbacks that do to their record what runs them again: one that stops by itself may, one that never would is told.

use relata::callback::Inside;
use relata::{Db, Result, callbacks, model};

use crate::Backend;

/// Its callbacks do what its kind says.
#[model]
pub struct Loop {
    id: i64,
    kind: String,
    #[column(default = 0)]
    times: i64,
}

#[callbacks]
impl Loop {
    #[before_save]
    async fn save_before(&self) -> Result<()> {
        match self.kind() {
            "before_save" => self.save().await,
            _ => Ok(()),
        }
    }

    #[around_save]
    async fn save_around(&self, inside: Inside) -> Result<()> {
        if self.kind() == "around_save" {
            self.save().await?;
        }
        inside.run().await
    }

    #[after_save]
    async fn save_after(&self) -> Result<()> {
        match self.kind() {
            "after_save" => self.update(|l| l.set_times(l.times() + 1)).await,
            "thrice" if self.times() < 3 => self.update(|l| l.set_times(l.times() + 1)).await,
            "columns" => self.update_columns([("times", 9.into())]).await,
            _ => Ok(()),
        }
    }

    #[after_commit]
    async fn save_after_commit(&self) -> Result<()> {
        match self.kind() {
            "after_commit" => self.update(|l| l.set_times(l.times() + 1)).await,
            "once committed" if self.times() < 1 => self.update(|l| l.set_times(1)).await,
            _ => Ok(()),
        }
    }

    #[before_destroy]
    async fn destroy_before(&self) -> Result<()> {
        match self.kind() {
            "before_destroy" => self.destroy().await,
            _ => Ok(()),
        }
    }
}

async fn loops(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([Loop::reflection()]).await?;
    Ok(db)
}

/// A callback that saves or destroys its record without end is an error that names it; nothing is written.
pub async fn a_callback_that_runs_itself_without_end_is_told(backend: &Backend) -> Result<()> {
    let db = loops(backend).await?;
    for (kind, name) in [
        ("before_save", "save_before"),
        ("around_save", "save_around"),
        ("after_save", "save_after"),
    ] {
        let one = Loop::build(&db, |l| l.set_kind(kind));
        let error = one.save().await.unwrap_err();
        assert!(error.is_configuration(), "{error:?}");
        assert_eq!(
            (error.model(), error.attribute()),
            (Some("Loop"), Some(name))
        );
        assert!(error.to_string().contains(kind), "{error}");
        assert!(error.erased_record().is_some_and(|record| one.is(record)));
    }
    assert_eq!(Loop::all(&db).count().await?, 0);
    let one = Loop::create(&db, |l| l.set_kind("before_destroy")).await?;
    let error = one.destroy().await.unwrap_err();
    assert_eq!(error.attribute(), Some("destroy_before"), "{error:?}");
    assert!(one.is_persisted());
    assert_eq!(Loop::all(&db).count().await?, 1);
    Ok(())
}

/// A commit has a task of its own, which is inside the function that wrote all the same.
pub async fn an_after_commit_that_saves_without_end_is_told(backend: &Backend) -> Result<()> {
    let db = loops(backend).await?;
    let one = Loop::build(&db, |l| l.set_kind("after_commit"));
    let error = one.save().await.unwrap_err();
    assert!(error.is_post_commit(), "{error:?}");
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let told = cause.to_string();
    assert!(
        told.contains("after_commit `save_after_commit`") && told.contains("inside itself"),
        "{told}"
    );
    // What was committed stays so, each time.
    assert_eq!((one.times(), one.is_changed()), (16, false));
    assert_eq!(Loop::all(&db).pluck(|l| l.times).await?, [16]);
    let other = Loop::create(&db, |l| l.set_kind("once committed")).await?;
    assert_eq!((other.times(), other.is_changed()), (1, false));
    Ok(())
}

/// One that stops by itself is no mistake.
pub async fn a_callback_that_runs_itself_until_it_is_done_is_not(backend: &Backend) -> Result<()> {
    let db = loops(backend).await?;
    let one = Loop::create(&db, |l| l.set_kind("thrice")).await?;
    assert_eq!((one.times(), one.is_changed()), (3, false));
    let other = Loop::create(&db, |l| l.set_kind("columns")).await?;
    assert_eq!(other.times(), 9);
    let rows = Loop::all(&db)
        .order(|l| l.id.asc())
        .pluck(|l| l.times)
        .await?;
    assert_eq!(rows, [3, 9]);
    Ok(())
}
