"""A Firestore that a test fills and that lets nobody write, as the real one is for `roles/datastore.viewer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc
from google.cloud.firestore_v1 import _helpers, types

from tests.jobs import NOW

DATABASE = "projects/{}/databases/(default)/documents/"


class ReadOnlyFirestore(grpc.GenericRpcHandler):  # type: ignore[misc]  # untyped
    """Its queries find all documents of their collection, whatever they ask for.

    What each call takes: https://cloud.google.com/firestore/docs/security/iam#required_permissions
    """

    def __init__(
        self, project: str, documents: Mapping[str, Mapping[str, Any]], read: list[str], refused: list[str]
    ) -> None:
        """`documents` has their fields by path, such as `jobs/1`. Each call is added to one of the latter two."""
        self._read, self._refused = read, refused
        self._documents = {
            DATABASE.format(project) + path: types.Document(
                name=DATABASE.format(project) + path,
                fields=_helpers.encode_dict(dict(fields)),
                create_time=NOW,
                update_time=NOW,
            )
            for path, fields in documents.items()
        }

    def service(self, call: Any) -> Any:
        name = call.method.rpartition("/")[2]
        answers: dict[str, Callable[[Any], Iterator[Any]]] = {
            "BatchGetDocuments": self._batch_get,
            "RunQuery": self._run_query,
            "RunAggregationQuery": self._count,
        }
        if name not in answers:
            self._refused.append(name)
            return grpc.unary_unary_rpc_method_handler(_refuse)
        self._read.append(name)
        return grpc.unary_stream_rpc_method_handler(
            lambda request, _: answers[name](request),
            request_deserializer=getattr(types, f"{name}Request").deserialize,
            response_serializer=getattr(types, f"{name}Response").serialize,
        )

    def _batch_get(self, request: Any) -> Iterator[Any]:
        for name in request.documents:
            found = self._documents.get(name)
            about = {"found": found} if found else {"missing": name}
            yield types.BatchGetDocumentsResponse(**about, read_time=NOW)

    def _run_query(self, request: Any) -> Iterator[Any]:
        for document in self._in(request.structured_query):
            yield types.RunQueryResponse(document=document, read_time=NOW)

    def _count(self, request: Any) -> Iterator[Any]:
        query = request.structured_aggregation_query
        number = types.Value(integer_value=len(self._in(query.structured_query)))
        counts = {one.alias: number for one in query.aggregations}
        yield types.RunAggregationQueryResponse(
            result=types.AggregationResult(aggregate_fields=counts), read_time=NOW
        )

    def _in(self, query: Any) -> list[types.Document]:
        (collection,) = (one.collection_id for one in query.from_)
        return [one for name, one in self._documents.items() if name.split("/")[-2] == collection]


def _refuse(_: bytes, context: Any) -> bytes:
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "Missing or insufficient permissions.")
    return b""  # abort has raised
