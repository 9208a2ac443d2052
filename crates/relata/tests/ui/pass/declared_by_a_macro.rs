//! Models that another macro writes, with types and names passed on.

macro_rules! node {
    ($name:ident, $key:ty, $parent:ident: $target:ty, $children:ident: $child:ty) => {
        #[relata::model]
        pub struct $name {
            id: i64,
            parent_id: $key,
            #[belongs_to(foreign_key = parent_id)]
            $parent: $target,
            #[has_many(foreign_key = parent_id)]
            $children: $child,
        }
    };
}

node!(Branch, Option<i64>, parent: Option<Branch>, twigs: Branch);

fn main() {
    let db = relata::Db::detached();
    let stem = Branch::new(&db);
    let twig = Branch::new(&db).with(|twig| twig.set_parent(&stem));
    assert_eq!(twig.parent_id(), None);
    assert_eq!(twig.parent().loaded(), Some(stem));
}
