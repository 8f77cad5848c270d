"""The minimum: one query by a bare gRPC stub with raw protobuf, answered as JSON. No token, no count."""

from __future__ import annotations

import json
import os
from typing import Any

import flask
import grpc
from google.cloud.firestore_v1 import types

PARENT = f"projects/{os.environ['GOOGLE_CLOUD_PROJECT']}/databases/(default)/documents"
QUERY: Any = types.StructuredQuery.pb()(
    from_=[{"collection_id": "jobs"}],
    where={"field_filter": {"field": {"field_path": "user_id"}, "op": "EQUAL", "value": {"string_value": "me"}}},
    order_by=[{"field": {"field_path": "created_at"}, "direction": "DESCENDING"}],
    limit={"value": 20},
)
REQUEST: Any = types.RunQueryRequest.pb()(parent=PARENT, structured_query=QUERY)
OWNER = (("authorization", "Bearer owner"),)
"""The emulator's rules do not bind who sends this; Google's library sends it too."""
run = grpc.insecure_channel(os.environ["FIRESTORE_EMULATOR_HOST"]).unary_stream(
    "/google.firestore.v1.Firestore/RunQuery",
    request_serializer=types.RunQueryRequest.pb().SerializeToString,
    response_deserializer=types.RunQueryResponse.pb().FromString,
)


def list_jobs(_: flask.Request) -> flask.Response:
    found = [response.document for response in run(REQUEST, metadata=OWNER) if response.HasField("document")]
    jobs = [{name: decoded(value) for name, value in document.fields.items()} for document in found]
    return flask.Response(json.dumps({"jobs": jobs}), content_type="application/json")


def decoded(value: Any) -> Any:
    kind = value.WhichOneof("value_type")
    if kind == "timestamp_value":
        return value.timestamp_value.ToJsonString()
    if kind == "map_value":
        return {name: decoded(inner) for name, inner in value.map_value.fields.items()}
    return None if kind == "null_value" else getattr(value, kind)
