//! Callbacks: events that are not there, functions of the wrong shape, options that are not theirs.

use relata::callback::Inside;
use relata::{Result, callbacks, model};

#[model]
pub struct Post {
    id: i64,
}

#[callbacks]
impl Post {
    #[before_svae]
    fn misspelled(&self) {}
    #[before_save]
    fn takes_more(&self, _more: i64) {}
    #[around_save]
    fn waits_for_nothing(&self, _inside: Inside) {}
    #[after_rollback]
    async fn cannot_wait(&self) {}
    #[before_create(prepent)]
    fn misspelled_option(&self) {}
    #[before_save(prepend, after = comments)]
    fn at_two_places(&self) {}
    #[after_save(before)]
    fn beside_what(&self) {}
    #[validate(prepend)]
    fn not_for_validations(&self) -> Result<()> {
        Ok(())
    }
}

#[model]
pub struct Author {
    id: i64,
}

#[callbacks]
impl Author {
    #[before_save]
    fn gives_something(&self) -> i64 {
        7
    }
}

fn main() {}
