//! Trees: what an association leads to over any number of steps, by one statement.

use crate::Backend;
use relata::{Db, ErrorKind, Record, Relation, Result, assert_queries, model};

/// A row of a tree, which may be hidden.
#[model]
pub struct Folder {
    id: i64,
    name: String,
    #[column(default = false)]
    hidden: bool,
    parent_id: Option<i64>,
    #[belongs_to]
    parent: Option<Folder>,
    #[has_many(foreign_key = parent_id, inverse_of = parent)]
    folders: Folder,
    #[has_many(foreign_key = parent_id, scope = |f| f.filter(|f| f.hidden.eq(false)).order(|f| f.name))]
    shown: Folder,
    #[has_many]
    files: File,
    #[has_many]
    shortcuts: Shortcut,
    #[has_many(through = shortcuts, source = target)]
    targets: Folder,
}

/// What a folder holds.
#[model]
pub struct File {
    id: i64,
    folder_id: i64,
    size: i64,
    #[belongs_to]
    folder: Folder,
}

/// A way from one folder to another, so that there are cycles.
#[model]
pub struct Shortcut {
    id: i64,
    folder_id: i64,
    target_id: i64,
    #[belongs_to]
    folder: Folder,
    #[belongs_to(foreign_key = target_id)]
    target: Folder,
}

/// A row of a tree with a key of two columns.
#[model(primary_key = (shop, number))]
pub struct Shelf {
    shop: i64,
    number: i64,
    above: Option<i64>,
    #[belongs_to(foreign_key = (shop, above))]
    parent: Option<Shelf>,
    #[has_many(foreign_key = (shop, above), inverse_of = parent)]
    shelves: Shelf,
}

/// root(1) has home(2) and etc(3); home has ann(4) and bob(5), which is hidden; ann has pictures(6), bob has secrets(7).
pub(crate) async fn folders(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    let models = [
        Folder::reflection(),
        File::reflection(),
        Shortcut::reflection(),
        Shelf::reflection(),
    ];
    db.create_tables(models).await?;
    for (name, parent, hidden) in [
        ("root", None, false),
        ("home", Some(1), false),
        ("etc", Some(1), false),
        ("ann", Some(2), false),
        ("bob", Some(2), true),
        ("pictures", Some(4), false),
        ("secrets", Some(5), false),
    ] {
        Folder::create(&db, |f| {
            f.set_name(name).set_parent_id(parent).set_hidden(hidden)
        })
        .await?;
    }
    Ok(db)
}

async fn names(relation: Relation<Folder>) -> Result<Vec<String>> {
    relation.order(|f| f.id).pluck(|f| f.name).await
}

/// A has many leads down and a belongs to up.
pub async fn a_tree_is_read_downwards_and_upwards(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let home = || Folder::all(&db).filter(|f| f.name.eq("home"));
    let down = assert_queries!(db, 1, {
        names(home().with_recursive(|f| f.folders)).await?
    });
    assert_eq!(down, ["home", "ann", "bob", "pictures", "secrets"]);
    let up = names(home().with_recursive(|f| f.parent)).await?;
    assert_eq!(up, ["root", "home"]);
    let (home, pictures) = (Folder::find(&db, 2).await?, Folder::find(&db, 6).await?);
    let below = home.folders().with_recursive(|f| f.folders);
    assert_eq!(names(below).await?, ["ann", "bob", "pictures", "secrets"]);
    let above = pictures.parent().with_recursive(|f| f.parent);
    assert_eq!(names(above).await?, ["root", "home", "ann"]);
    let root = Folder::find(&db, 1).await?;
    assert!(
        names(root.parent().with_recursive(|f| f.parent))
            .await?
            .is_empty()
    );
    let new = Folder::new(&db);
    assert_queries!(db, 0, {
        assert!(
            new.folders()
                .with_recursive(|f| f.folders)
                .await?
                .is_empty()
        );
        assert!(new.parent().with_recursive(|f| f.parent).await?.is_empty());
    });
    Ok(())
}

/// What narrows, orders, counts, joins and writes takes a tree as any other relation.
pub async fn a_tree_is_a_relation_as_any_other(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let tree = || {
        let start = Folder::all(&db).filter(|f| f.id.eq(2));
        start.with_recursive(|f| f.folders)
    };
    File::create(&db, |f| f.set_folder_id(6).set_size(3)).await?;
    File::create(&db, |f| f.set_folder_id(7).set_size(4)).await?;
    File::create(&db, |f| f.set_folder_id(1).set_size(5)).await?;
    assert_eq!(tree().count().await?, 5);
    assert_eq!(tree().filter(|f| f.hidden.eq(true)).count().await?, 1);
    let last = tree().order(|f| f.name.desc()).first().await?;
    assert_eq!(last.unwrap().name(), "secrets");
    assert_eq!(tree().limit(2).await?.len(), 2);
    let sizes = tree().joins(|f| f.files).pluck(|f| f.files.size).await?;
    assert_eq!(sizes, [3, 4]);
    let inside = File::all(&db).filter(|f| f.folder_id.is_in(tree().select_column(|f| f.id)));
    assert_eq!(inside.sum(|f| f.size).await?, 7);
    let read = assert_queries!(db, 2, { tree().includes(|f| f.files).await? });
    assert_queries!(db, 0, {
        let mut files = 0;
        for folder in &read {
            files += folder.files().await?.len();
        }
        assert_eq!(files, 2);
    });
    let outside = Folder::all(&db)
        .filter(|f| f.id.eq(3))
        .or(tree().filter(|f| f.id.eq(4)))?;
    assert_eq!(names(outside).await?, ["etc", "ann"]);
    let tree_of_tree = tree()
        .filter(|f| f.name.eq("bob"))
        .with_recursive(|f| f.parent);
    assert_eq!(names(tree_of_tree).await?, ["root", "home", "bob"]);
    assert_eq!(tree().update_all(|f| f.hidden.set(true)).await?, 5);
    assert_eq!(
        Folder::all(&db)
            .filter(|f| f.hidden.eq(true))
            .count()
            .await?,
        5
    );
    File::all(&db).delete_all().await?;
    assert_eq!(tree().delete_all().await?, 5);
    assert_eq!(names(Folder::all(&db)).await?, ["root", "etc"]);
    Ok(())
}

/// Orders stay, and a limit before is that of the beginning.
pub async fn a_tree_begins_with_the_rows_of_its_relation(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let last_child = Folder::all(&db)
        .filter(|f| f.parent_id.eq(2))
        .order(|f| f.id.desc())
        .limit(1);
    let tree: Vec<String> = last_child
        .with_recursive(|f| f.folders)
        .pluck(|f| f.name)
        .await?;
    assert_eq!(tree, ["secrets", "bob"]);
    let sql = relata::Raw::new("SELECT * FROM folders WHERE name = ?").bind("ann");
    let raw = Folder::all(&db).from_sql(sql).with_recursive(|f| f.folders);
    assert_eq!(names(raw).await?, ["ann", "pictures"]);
    let joined = Folder::all(&db)
        .filter(|f| f.parent.name.eq("home"))
        .with_recursive(|f| f.folders);
    assert_eq!(names(joined).await?, ["ann", "bob", "pictures", "secrets"]);
    assert_queries!(db, 0, {
        let nothing = Folder::all(&db).none().with_recursive(|f| f.folders);
        assert!(nothing.await?.is_empty());
    });
    Ok(())
}

/// The scope of an association holds for each step; a hidden folder ends the way.
pub async fn scopes_hold_for_each_step_of_a_tree(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let tree = Folder::all(&db)
        .filter(|f| f.id.eq(1))
        .with_recursive(|f| f.shown);
    assert_eq!(
        names(tree).await?,
        ["root", "home", "etc", "ann", "pictures"]
    );
    Ok(())
}

/// Steps are counted where that is asked for.
pub async fn a_tree_may_have_so_many_steps(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let within = |steps| {
        let root = Folder::all(&db).filter(|f| f.id.eq(1));
        names(root.with_recursive_within(steps, |f| f.folders))
    };
    assert_eq!(within(0).await?, ["root"]);
    assert_eq!(within(1).await?, ["root", "home", "etc"]);
    assert_eq!(within(2).await?, ["root", "home", "etc", "ann", "bob"]);
    assert_eq!(within(9).await?.len(), 7);
    let first = Folder::all(&db)
        .filter(|f| f.id.gt(1))
        .order(|f| f.id)
        .limit(1);
    let tree = first.with_recursive_within(1, |f| f.folders);
    assert_eq!(names(tree).await?, ["home", "ann", "bob"]);
    Ok(())
}

/// Rows that lead to each other are each there once, and the statement ends; also over others, and over two associations.
pub async fn rows_that_lead_to_each_other_are_no_endless_tree(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    for (from, to) in [(3, 4), (4, 3), (4, 6), (6, 6), (6, 3)] {
        Shortcut::create(&db, |s| s.set_folder_id(from).set_target_id(to)).await?;
    }
    let tree = || {
        Folder::all(&db)
            .filter(|f| f.id.eq(3))
            .with_recursive(|f| f.targets)
    };
    assert_eq!(names(tree()).await?, ["etc", "ann", "pictures"]);
    assert_eq!(tree().count().await?, 3);
    let counted = Folder::all(&db).filter(|f| f.id.eq(3));
    let counted = counted.with_recursive_within(4, |f| f.targets);
    assert_eq!(names(counted).await?, ["etc", "ann", "pictures"]);
    let over_two = Folder::all(&db).filter(|f| f.id.eq(4));
    let over_two = over_two.with_recursive(|f| f.parent.folders);
    assert_eq!(names(over_two).await?, ["ann", "bob"]);
    Folder::all(&db)
        .filter(|f| f.id.eq(1))
        .update_all(|f| f.parent_id.set(7))
        .await?;
    let round = Folder::all(&db)
        .filter(|f| f.id.eq(1))
        .with_recursive(|f| f.parent);
    assert_eq!(names(round).await?, ["root", "home", "bob", "secrets"]);
    Ok(())
}

/// A key of several columns is compared by all of them.
pub async fn a_tree_is_known_by_all_columns_of_its_key(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    for (shop, number, above) in [
        (1, 1, None),
        (1, 2, Some(1)),
        (1, 3, Some(2)),
        (2, 1, None),
        (2, 2, Some(1)),
        (2, 3, Some(1)),
    ] {
        Shelf::create(&db, |s| {
            s.set_shop(shop).set_number(number).set_above(above)
        })
        .await?;
    }
    let keys = |relation: Relation<Shelf>| async move {
        let keys = relation.order(|s| (s.shop, s.number));
        keys.pluck(|s| (s.shop, s.number)).await
    };
    let start = || Shelf::all(&db).filter(|s| s.shop.eq(1).and(s.number.eq(2)));
    assert_eq!(
        keys(start().with_recursive(|s| s.shelves)).await?,
        [(1, 2), (1, 3)]
    );
    assert_eq!(
        keys(start().with_recursive(|s| s.parent)).await?,
        [(1, 1), (1, 2)]
    );
    let top = Shelf::find(&db, (2, 1)).await?;
    let below = top.shelves().with_recursive(|s| s.shelves);
    assert_eq!(keys(below.clone()).await?, [(2, 2), (2, 3)]);
    assert_eq!(below.delete_all().await?, 2);
    Ok(())
}

/// By name it is the same statement, and what cannot be is told.
pub async fn trees_are_read_by_name(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let by_name = || Relation::of(Folder::reflection(), &db);
    let typed = Folder::all(&db).filter(|f| f.id.eq(2));
    assert_eq!(
        by_name()
            .filter_by("id", 2)?
            .with_recursive_named("folders")?
            .to_sql(),
        typed.clone().with_recursive(|f| f.folders).to_sql()
    );
    assert_eq!(
        by_name()
            .filter_by("id", 2)?
            .with_recursive_within_named(3, "parent")?
            .to_sql(),
        typed.with_recursive_within(3, |f| f.parent).to_sql()
    );
    let pictures: Record = by_name().filter_by("id", 6)?.first().await?.unwrap();
    let above = pictures
        .association("parent")?
        .relation()
        .with_recursive_named("parent")?;
    assert_eq!(above.count().await?, 3);
    let error = by_name().with_recursive_named("files").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompatibleRelation);
    assert_eq!(
        error.to_string(),
        "Folder.files leads to File: a step of a tree ends at the model it begins with, Folder"
    );
    let error = by_name().with_recursive_named("folder").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AssociationNotFound);
    Ok(())
}
