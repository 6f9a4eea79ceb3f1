//! The engines, which have one meaning: a test written for [`Engine`] runs with each.

use bedplate_online::{Connect, OnlineError, OnlineStore, RedisAddress};
use bedplate_testkit::Redis;

/// Where a store is: opened again it is the same one.
pub enum Engine {
    Folder(tempfile::TempDir),
    Redis(String),
}

impl Engine {
    pub fn folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    pub fn redis(what: &str) -> Option<Self> {
        Redis::shared(what).map(|server| Self::Redis(server.database()))
    }

    pub fn open(&self) -> OnlineStore {
        match self {
            Self::Folder(dir) => OnlineStore::open(dir.path()).unwrap(),
            Self::Redis(url) => connected(url).unwrap(),
        }
    }

    /// How often a property is tried: each look into Redis is a way there and back.
    pub fn cases(&self, of_folder: u32) -> u32 {
        match self {
            Self::Folder(_) => of_folder,
            Self::Redis(_) => of_folder.div_ceil(4),
        }
    }
}

pub fn how(url: &str) -> Connect {
    Connect { address: RedisAddress::parse(url).unwrap(), ca: None, owner: "tests".into(), may_lose: false }
}

pub fn connected(url: &str) -> Result<OnlineStore, OnlineError> {
    OnlineStore::connect(how(url))
}

/// Makes a test of each function for each engine.
macro_rules! on_each_engine {
    ($($name:ident),+ $(,)?) => {
        mod in_a_folder {
            $(#[test] fn $name() { super::$name(&crate::engine::Engine::folder()); })+
        }
        mod in_redis {
            $(#[test] fn $name() {
                let Some(engine) = crate::engine::Engine::redis(stringify!($name)) else { return };
                super::$name(&engine);
            })+
        }
    };
}
pub(crate) use on_each_engine;
