//! What the declarations refuse, and with which words; and what they must accept.
//!
//! One file a mistake, named by the mistake. `cargo xtask bless` writes the messages down after a change.

#[test]
fn mistakes_are_told_once_at_the_users_own_token() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    if cfg!(feature = "password") {
        cases.compile_fail("tests/ui/with_password/*.rs");
    } else {
        cases.compile_fail("tests/ui/without_password/*.rs");
    }
}

#[test]
fn correct_declarations_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
}
