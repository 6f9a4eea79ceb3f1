//! etcd's v3 API, as much of it as is measured: put, get, watch. Field numbers are those of etcd's `rpc.proto`.

use anyhow::{Context, Result};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;

/// HTTP/2 by the crates the product has anyway: tonic's own channel would have half of them built a second time.
type Channel = legacy::Client<HttpConnector, tonic::body::Body>;

#[derive(Clone, PartialEq, Message)]
pub struct PutRequest {
    #[prost(bytes, tag = "1")]
    pub key: Vec<u8>,
    #[prost(bytes, tag = "2")]
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct RangeRequest {
    #[prost(bytes, tag = "1")]
    pub key: Vec<u8>,
    #[prost(bytes, tag = "2")]
    pub range_end: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub limit: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    #[prost(bytes, tag = "1")]
    pub key: Vec<u8>,
    #[prost(bytes, tag = "5")]
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct RangeResponse {
    #[prost(message, repeated, tag = "2")]
    pub kvs: Vec<KeyValue>,
    #[prost(bool, tag = "3")]
    pub more: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub struct WatchCreateRequest {
    #[prost(bytes, tag = "1")]
    pub key: Vec<u8>,
    #[prost(bytes, tag = "2")]
    pub range_end: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct WatchRequest {
    #[prost(message, optional, tag = "1")]
    pub create: Option<WatchCreateRequest>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Event {
    #[prost(message, optional, tag = "2")]
    pub kv: Option<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct WatchResponse {
    #[prost(bool, tag = "3")]
    pub created: bool,
    #[prost(message, repeated, tag = "11")]
    pub events: Vec<Event>,
}

/// The key after every key that begins with `prefix`.
pub fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

pub struct Client(Grpc<Channel>);

impl Client {
    /// A connection of its own.
    pub async fn open(address: &str) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let channel = legacy::Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        let origin = http::Uri::builder().scheme("http").authority(address).path_and_query("/").build()?;
        let mut client = Self(Grpc::with_origin(channel, origin).max_decoding_message_size(64 << 20));
        client
            .range(RangeRequest { key: b"any".to_vec(), ..Default::default() })
            .await
            .context("etcd does not answer")?;
        Ok(client)
    }

    pub async fn put(&mut self, key: String, value: Vec<u8>) -> Result<()> {
        self.0.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/etcdserverpb.KV/Put");
        let request = tonic::Request::new(PutRequest { key: key.into_bytes(), value });
        let _: tonic::Response<Empty> = self.0.unary(request, path, ProstCodec::default()).await?;
        Ok(())
    }

    pub async fn range(&mut self, request: RangeRequest) -> Result<RangeResponse> {
        self.0.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/etcdserverpb.KV/Range");
        let answer = self.0.unary(tonic::Request::new(request), path, ProstCodec::default()).await?;
        Ok(answer.into_inner())
    }

    /// Calls `saw` with every value put under `prefix`, until it says that it has seen enough.
    pub async fn watch(
        &mut self,
        prefix: &str,
        began: impl FnOnce(),
        mut saw: impl FnMut(&[u8]) -> bool,
    ) -> Result<()> {
        self.0.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/etcdserverpb.Watch/Watch");
        let create = WatchCreateRequest { key: prefix.as_bytes().to_vec(), range_end: end_of(prefix) };
        // The request stream stays open for as long as the watch lasts.
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        sender.send(WatchRequest { create: Some(create) }).await.context("the watch was not asked for")?;
        let asked = tonic::Request::new(tokio_stream::wrappers::ReceiverStream::new(receiver));
        let mut events =
            self.0.streaming(asked, path, ProstCodec::<WatchRequest, WatchResponse>::default()).await?.into_inner();
        let mut began = Some(began);
        while let Some(answer) = events.message().await? {
            if answer.created
                && let Some(began) = began.take()
            {
                began();
            }
            if answer.events.iter().filter_map(|event| event.kv.as_ref()).any(|kv| saw(&kv.value)) {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_one() {
        assert_eq!(end_of("a/"), b"a0");
    }
}
