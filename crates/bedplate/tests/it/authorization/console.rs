//! Signing in at the console as a browser does: by the form of its page.

use super::http::{Ask, send};
use super::world::World;
use crate::pages::{cookie, form_key};

/// The form of the page to sign in at, filled in.
pub fn form(world: &World, fields: &str) -> Ask {
    let page = send(&world.control, &Ask::new("GET", "/login"));
    let key = form_key(&page.body()).unwrap_or_else(|| panic!("a form without a key: {}", page.body())).to_owned();
    let form = Ask::new("POST", "/login").body(format!("{fields}&key={key}"));
    let form = form.header("cookie", cookie(&page.head()).expect("the visit's cookie"));
    form.header("content-type", "application/x-www-form-urlencoded")
}

pub fn session(world: &World, token: &str) -> String {
    let reply = send(&world.control, &form(world, &format!("token={token}")));
    cookie(&reply.head()).unwrap_or_else(|| "bedplate_session=none".to_owned())
}
