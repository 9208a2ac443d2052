//! Records as serde gives them on: the attributes but the secret ones.

use ::serde::{Serialize, Serializer};

use super::is_hidden;
use crate::record::Record;

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.reflection().columns();
        let hidden = |name: &str| {
            columns
                .iter()
                .any(|column| column.name() == name && is_hidden(column))
        };
        serializer.collect_map(
            self.attributes()
                .into_iter()
                .filter(|(name, _)| !hidden(name)),
        )
    }
}
