//! What a declaration gives its model: the names of the methods.

use super::AssociationReflection;

impl AssociationReflection {
    /// The names of the methods that `#[model]` gives a record for it; [`Reflected::methods`](super::super::Reflected::methods)
    /// knows which of them the model leaves out.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        let name = self.name;
        let mut methods = vec![name.to_owned()];
        if self.nested.is_some() {
            methods.push(format!("{name}_attributes"));
        }
        if self.is_collection() {
            methods.push(format!("{}_ids", relata_inflect::singularize(name)));
            return methods;
        }
        let verbs = match self.is_polymorphic() {
            true => &["set", "reload", "reset"][..],
            false => &["set", "build", "create", "reload", "reset"],
        };
        methods.extend(verbs.iter().map(|verb| format!("{verb}_{name}")));
        if self.is_belongs_to() {
            methods.extend(["changed", "previously_changed"].map(|what| format!("{name}_{what}")));
        }
        for delegate in self.delegates {
            let one = relata_inflect::underscore(delegate);
            methods.extend([format!("is_{one}"), one.clone(), format!("{one}_id")]);
        }
        methods
    }
}
