//! A `has_and_belongs_to_many` that a subclass of single-table inheritance declares.

#![allow(missing_docs)]

use relata::{Db, Raw, Relation, Result, model};

#[model(subclasses = (Admin))]
pub struct User {
    id: i64,
    r#type: Option<String>,
    name: String,
}

#[model(base = User)]
pub struct Admin {
    id: i64,
    name: String,
    #[has_and_belongs_to_many(join_table = admins_roles, foreign_key = admin_id)]
    roles: Role,
}

#[model]
pub struct Role {
    id: i64,
    name: String,
}

/// Its declaration did not compile: the table between was named and not declared.
#[relata::test]
async fn a_subclass_reads_and_writes_a_has_and_belongs_to_many(db: Db) -> Result<()> {
    db.create_tables([User::reflection(), Role::reflection()])
        .await?;
    let models = [User::reflection(), Role::reflection()];
    assert_eq!(db.check_tables(models).await?.len(), 0);
    db.execute_sql(Raw::new("DROP TABLE admins_roles")).await?;
    assert_eq!(db.check_tables(models).await?.len(), 1);
    let between = "CREATE TABLE admins_roles (admin_id INTEGER NOT NULL, role_id INTEGER NOT NULL)";
    db.execute_sql(Raw::new(between)).await?;
    let ann = Admin::create(&db, |a| a.set_name("Ann")).await?;
    let role = Role::create(&db, |r| r.set_name("root")).await?;
    ann.roles().push(&role).await?;
    ann.roles().create(|r| r.set_name("backup")).await?;
    let found = Admin::find(&db, ann.id()).await?;
    let names = |roles: &[Role]| -> Vec<String> {
        roles.iter().map(|role| role.name().to_owned()).collect()
    };
    assert_eq!(names(&found.roles().await?), ["root", "backup"]);
    let preloaded = Admin::all(&db).includes(|a| a.roles).await?;
    assert_eq!(names(&preloaded[0].roles().await?), ["root", "backup"]);
    assert_eq!(
        Admin::all(&db)
            .filter(|a| a.roles.name.eq("root"))
            .count()
            .await?,
        1
    );
    found.roles().delete([&role]).await?;
    let record = Relation::of(User::reflection(), &db)
        .first()
        .await?
        .expect("Ann");
    assert_eq!(record.association("roles")?.load_many().await?.len(), 1);
    Ok(())
}
