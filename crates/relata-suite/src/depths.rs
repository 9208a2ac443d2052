//! Trees with the number of steps to each of their rows.

use crate::Backend;
use crate::trees::{Folder, Shelf, Shortcut, folders};
use relata::{ErrorKind, Relation, Result, assert_queries};

async fn depths(relation: Relation<Folder>) -> Result<Vec<(String, i64)>> {
    let depth = relation.tree_depth();
    let ordered = relation.order(|f| (depth.clone().asc(), f.name.desc()));
    ordered.pluck(|f| (f.name, depth)).await
}

fn named(depths: &[(String, i64)]) -> Vec<(&str, i64)> {
    depths
        .iter()
        .map(|(name, at)| (name.as_str(), *at))
        .collect()
}

/// The depth is a value to order by, to read and to compare, downwards and upwards.
pub async fn each_row_of_a_tree_has_a_depth(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let root = || {
        let start = Folder::all(&db).filter(|f| f.id.eq(1));
        start.with_recursive(|f| f.folders)
    };
    let down = assert_queries!(db, 1, { depths(root()).await? });
    assert_eq!(
        named(&down),
        [
            ("root", 0),
            ("home", 1),
            ("etc", 1),
            ("bob", 2),
            ("ann", 2),
            ("secrets", 3),
            ("pictures", 3)
        ]
    );
    let pictures = Folder::find(&db, 6).await?;
    let up = depths(pictures.parent().with_recursive(|f| f.parent)).await?;
    assert_eq!(named(&up), [("ann", 0), ("home", 1), ("root", 2)]);
    let depth = root().tree_depth();
    let second = root().filter(|_| depth.clone().eq(2)).order(|f| f.name);
    assert_eq!(second.pluck(|f| f.name).await?, ["ann", "bob"]);
    let deep = root().filter(|f| depth.clone().ge(2).and(f.hidden.eq(false)));
    assert_eq!(deep.clone().count().await?, 3);
    let last = root()
        .order(|f| (depth.clone().desc(), f.name))
        .limit(2)
        .await?;
    let names: Vec<&str> = last.iter().map(|f| f.name()).collect();
    assert_eq!(names, ["pictures", "secrets"]);
    assert_eq!(deep.update_all(|f| f.hidden.set(true)).await?, 3);
    // Outside the tree there is none.
    let all = Folder::all(&db).filter(|f| f.id.lt(3)).order(|f| f.id);
    let home = Folder::all(&db).filter(|f| f.id.eq(2));
    let of_home = home.with_recursive(|f| f.folders).tree_depth();
    let read = all.pluck(|f| (f.name, of_home.optional())).await?;
    assert_eq!(
        read,
        [("root".to_owned(), None), ("home".to_owned(), Some(0))]
    );
    Ok(())
}

/// Several rows to begin with, a limit of them, and steps that are counted: the fewest steps are the depth.
pub async fn the_depth_is_that_of_the_shortest_way(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let start = Folder::all(&db).filter(|f| f.id.is_in([1, 4]));
    let both = depths(start.with_recursive(|f| f.folders)).await?;
    assert_eq!(
        named(&both),
        [
            ("root", 0),
            ("ann", 0),
            ("pictures", 1),
            ("home", 1),
            ("etc", 1),
            ("bob", 2),
            ("secrets", 3)
        ]
    );
    let first = Folder::all(&db)
        .filter(|f| f.id.gt(1))
        .order(|f| f.id)
        .limit(1);
    let few = depths(first.with_recursive_within(1, |f| f.folders)).await?;
    assert_eq!(named(&few), [("home", 0), ("ann", 1), ("bob", 1)]);
    Ok(())
}

/// Rows that lead to each other end, wherever the circle is, and over others too.
pub async fn depths_end_where_rows_lead_to_each_other(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    for (from, to) in [(3, 4), (4, 3), (4, 6), (6, 6), (6, 3), (3, 6)] {
        Shortcut::create(&db, |s| s.set_folder_id(from).set_target_id(to)).await?;
    }
    let from = |id: i64| Folder::all(&db).filter(move |f| f.id.eq(id));
    let over = depths(from(3).with_recursive(|f| f.targets)).await?;
    assert_eq!(named(&over), [("etc", 0), ("pictures", 1), ("ann", 1)]);
    from(1).update_all(|f| f.parent_id.set(7)).await?;
    let down = depths(from(2).with_recursive(|f| f.folders)).await?;
    let wanted = [
        ("home", 0),
        ("bob", 1),
        ("ann", 1),
        ("secrets", 2),
        ("pictures", 2),
        ("root", 3),
        ("etc", 4),
    ];
    assert_eq!(named(&down), wanted);
    // The circle is above, and the beginning is not in it.
    let up = depths(from(6).with_recursive(|f| f.parent)).await?;
    let wanted = [
        ("pictures", 0),
        ("ann", 1),
        ("home", 2),
        ("root", 3),
        ("secrets", 4),
        ("bob", 5),
    ];
    assert_eq!(named(&up), wanted);
    from(1).update_all(|f| f.parent_id.set(1)).await?;
    let own = depths(from(1).with_recursive(|f| f.parent)).await?;
    assert_eq!(named(&own), [("root", 0)]);
    Ok(())
}

/// A key of several columns is compared by all of them; by name the depth is `tree_depth`.
pub async fn depths_of_wide_keys_and_by_name(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    for (shop, number, above) in [(1, 1, None), (1, 2, Some(1)), (1, 3, Some(2)), (2, 2, None)] {
        Shelf::create(&db, |s| {
            s.set_shop(shop).set_number(number).set_above(above)
        })
        .await?;
    }
    let start = Shelf::all(&db).filter(|s| s.number.eq(1));
    let tree = start.with_recursive(|s| s.shelves);
    let depth = tree.tree_depth();
    let read = tree
        .order(|s| s.number)
        .pluck(|s| (s.shop, s.number, depth));
    assert_eq!(read.await?, [(1, 1, 0), (1, 2, 1), (1, 3, 2)]);

    let by_name = || Relation::of(Folder::reflection(), &db);
    let tree = by_name()
        .filter_by("name", "home")?
        .with_recursive_named("folders")?;
    let depth = tree.tree_depth();
    let near = tree
        .filter_expr(depth.le(1))?
        .order_by("tree_depth desc")?
        .order_by("name")?;
    let rows = near.pluck_named(["name", "tree_depth"]).await?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row[0].as_str(), row[1].as_i64()))
        .collect();
    let wanted = [("ann", 1), ("bob", 1), ("home", 0)];
    assert_eq!(rows, wanted.map(|(name, at)| (Some(name), Some(at))));
    Ok(())
}

/// What is no tree has no depth, and says so.
pub async fn what_is_no_tree_has_no_depth(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let depth = Folder::all(&db).tree_depth();
    let error = Folder::all(&db).order(|_| depth).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompatibleRelation);
    let said = "tree_depth is that of a tree, and this relation of Folder is none: ask for it by with_recursive first";
    assert_eq!(error.to_string(), said);
    let by_name = Relation::of(Folder::reflection(), &db).order_by("tree_depth");
    assert_eq!(by_name.unwrap_err().kind(), ErrorKind::UnknownAttribute);
    Ok(())
}

/// Values are computed in an order, and read, where groups are.
pub async fn computed_values_order_groups(backend: &Backend) -> Result<()> {
    let db = folders(backend).await?;
    let groups = Folder::all(&db)
        .filter(|f| f.parent_id.is_not_null())
        .group(|f| f.parent_id)
        .order(|f| (f.id.count().desc(), f.parent_id.asc()));
    let read = groups.pluck(|f| (f.parent_id, f.id.count(), f.id.maximum()));
    let wanted = [
        (Some(1), 2, 3),
        (Some(2), 2, 5),
        (Some(4), 1, 6),
        (Some(5), 1, 7),
    ];
    assert_eq!(read.await?, wanted);
    Ok(())
}
