"""Every error that Evenmatch raises on purpose.

    EvenmatchError
    |-- InputError                  the caller sent something that cannot be used
    |   |-- EmptyTextError            no text, or nothing but white space and control characters
    |   |-- TextTooLongError          more characters (or tokens) than the limit
    |   |-- UnreadableTextError       text outside the model's vocabulary, or that takes too long to read
    |   |-- UndecodableTextError      bytes that are not UTF-8
    |   |-- NotTextError              a file that is a PDF, an image or an archive
    |   |-- DocumentError             a document that cannot be read
    |   |   |-- UnsupportedDocumentError  of a kind that is not read: an image, an old Word file, a workbook
    |   |   |-- EncryptedDocumentError    it asks for a password
    |   |   |-- DamagedDocumentError      it is not what it begins as, or parts of it are missing
    |   |   |-- UnsafeDocumentError       it declares XML entities, by which other files are read
    |   |   |-- DocumentTooLargeError     more bytes, packed or unpacked, or more characters than the limit
    |   |   |-- TooManyPagesError         more pages than the limit
    |   |   |-- DocumentTooCostlyError    reading it takes too much CPU time or memory
    |   |   `-- NoTextLayerError          nothing but images, as of a scan
    |   |-- ArchiveError              a ZIP archive, or a file in one, that is not unpacked
    |   |   |-- ArchiveTooLargeError      more files or unpacked bytes than the limit
    |   |   |-- CompressionRatioError     a file that unpacks to far more than it takes up, as a bomb does
    |   |   |-- NestedArchiveError        an archive within the archive
    |   |   |-- UnsafePathError           a name that leads out of the archive
    |   |   `-- EncryptedArchiveError     a file in it asks for a password
    |   |-- NoDocumentError           what stands for a text is none: null, a file's name, an error
    |   |-- SpanNotFoundError         a span that a caller names does not stand in the text
    |   |-- CountError                too few or too many items in a list
    |   |-- DuplicateIdError          the same id twice in one request
    |   |-- UnknownGroupError         an attribute or group outside the configured schema
    |   |-- UnknownModelError         a model name that this service does not serve
    |   |-- UnknownPageError          a page that is not there
    |   |-- TokenArraysError          token ids where texts are wanted
    |   |-- UnknownTokenError         a token id outside the model's vocabulary
    |   |-- AuditOptionsError         options of an audit that are out of range or contradict each other
    |   |-- ImpossibleCountsError     counts that no set of people can have, as more selected than there are
    |   |-- InputErrors               several of these at once
    |   |-- RequestTooLargeError      more tokens in one request than the queue could ever hold
    |   |-- TableError                a CSV or JSON Lines file without the columns asked for
    |   |   `-- CheckpointError           an output folder that a run may not go on in, or begin in
    |   |-- WindowError               a window of time that is none, or that is not understood
    |   |-- UnknownDecisionError      a decision_id that names no decision that is kept
    |   |-- OutcomeConflictError      another outcome of the same kind is recorded for the decision
    |   |-- OutcomeTimeError          an outcome from the future, or from before its decision
    |   |-- KeyReusedError            an Idempotency-Key that came with another request before
    |   |-- AnswerErasedError         an Idempotency-Key whose answer held a person who was erased
    |   |-- UnknownKeyError           an id that names no API key
    |   |-- UnknownJobError           a job id that names no job of this caller
    |   |-- JobRunningError           a job that cannot be deleted before it is over
    |   |-- JobDeletedError           an Idempotency-Key whose job was deleted
    |   |-- UploadError               what was sent as a job's input is not what it says it is
    |   |   |-- UploadTooLargeError     more bytes, rows or files than a job may have
    |   |   |-- MediaTypeError          a kind of body that jobs are not made from
    |   |-- RowError                  one row of a job's input that cannot be scored
    |   |-- ChunkAbandonedError       rows of a job that took the service down each time they were tried
    |   `-- WebhookError              an address that notices are not sent to
    |-- BundleError                 the bundle or its base model is damaged, missing or foreign
    |   `-- BundleParityError         the loaded model does not reproduce the bundle's reference vectors
    |-- CohortError                 a cohort is damaged, missing, over, or not of this bundle
    |-- EngineError                 inference failed
    |   `-- EngineUnavailableError    the engine asked for cannot run on this machine
    |-- CalibrationError            no calibration can be fitted: too few labels, or matches score no higher
    |-- ConfigurationError          settings that contradict each other or the bundle
    |-- ClusterError                machines that score together are not reached, or went away
    |-- MetricsLostError            what the serving processes counted is not all there
    |-- ProcessError                no serving process is left and none can be started
    |-- CallerGoneError             nobody waits for the answer any more, so the work was broken off
    |-- SealedError                 a piece of a job that was sealed with another key, or changed
    |-- LeaseLostError              another worker has taken over what this one was doing
    |-- StoreError                  the decision log cannot be read or written
    |   |-- DatabaseLostError         its file was deleted or replaced under the service
    |   |-- DatabaseDamagedError      pages of its file are damaged
    |   `-- ClockAheadError           by this machine's clock, a purge would delete what nobody expects
    |-- BackupError                 a backup cannot be made, or does not fit where it is to be put back
    |   `-- DamagedBackupError        a backup is not as it was written
    `-- CapacityError               not now, but perhaps later
        |-- QueueFullError            the inference queue has no room
        |-- NoIdleTimeError           background work found no time beside the requests
        |-- WarmingUpError            something that every request needs is not loaded yet
        |-- WorkerDownError           the inference worker died or hangs, and is being restarted
        |-- ReaderDownError           the process that reads long texts died or cannot be started
        |-- StoreDownError            decisions cannot be recorded, so none are taken
        |-- KeysUnavailableError      keys or tokens cannot be checked
        |-- StoreUnavailableError     the database does not answer a question about what is stored
        |-- StoreConflictError        another request wrote the same at this moment
        `-- ShuttingDownError         the service drains and takes no new work

`code` is stable: clients may branch on it. Messages name the field, the limit and the actual
size; they never hold resume text, job text or names.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from types import TracebackType
from typing import ClassVar, Self


class EvenmatchError(Exception):
    """Base class. `field` is the path of the offending input (`candidates[3].resume`), if one is known."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Error"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        limit: int | None = None,
        actual: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.limit = limit
        self.actual = actual


class InputError(EvenmatchError):
    """`line` and `reason`: of a fault in a table, where it stands, and what is wrong but for the place."""

    code = "invalid_input"
    title = "Invalid input"
    line: int | None = None
    reason: str = ""

    @classmethod
    def of_line(
        cls, table: object, line: int, said: str, reason: str | None = None, unit: str = "line"
    ) -> Self:
        """The fault of one line: `said` follows "TABLE line N". `reason` groups it with its like."""
        error = cls(f"{table} {unit} {line}{said}")
        error.line = line
        error.reason = said.removeprefix(": ") if reason is None else reason
        return error


class EmptyTextError(InputError):
    code = "empty_text"
    title = "Empty text"


class TextTooLongError(InputError):
    code = "text_too_long"
    title = "Text too long"


class UnreadableTextError(InputError):
    code = "unreadable_text"
    title = "Unreadable text"


class UndecodableTextError(InputError):
    code = "not_utf8"
    title = "Not UTF-8"


class NotTextError(InputError):
    code = "not_text"
    title = "Not a text"


class NoDocumentError(InputError):
    code = "no_document"
    title = "No document"


class DocumentError(InputError):
    code = "unreadable_document"
    title = "Unreadable document"


class UnsupportedDocumentError(DocumentError):
    code = "unsupported_document"
    title = "Unsupported kind of document"


class EncryptedDocumentError(DocumentError):
    code = "encrypted_document"
    title = "Encrypted document"


class DamagedDocumentError(DocumentError):
    code = "damaged_document"
    title = "Damaged document"


class UnsafeDocumentError(DocumentError):
    code = "unsafe_document"
    title = "Unsafe document"


class DocumentTooLargeError(DocumentError):
    code = "document_too_large"
    title = "Document too large"


class TooManyPagesError(DocumentError):
    code = "too_many_pages"
    title = "Too many pages"


class DocumentTooCostlyError(DocumentError):
    code = "document_too_costly"
    title = "Document too costly to read"


class NoTextLayerError(DocumentError):
    code = "no_text_layer"
    title = "No text layer"


class ArchiveError(InputError):
    code = "unusable_archive"
    title = "Unusable archive"


class ArchiveTooLargeError(ArchiveError):
    code = "archive_too_large"
    title = "Archive too large"


class CompressionRatioError(ArchiveError):
    code = "compression_ratio"
    title = "Suspicious compression"


class NestedArchiveError(ArchiveError):
    code = "nested_archive"
    title = "Archive within an archive"


class UnsafePathError(ArchiveError):
    code = "unsafe_path"
    title = "Unsafe path in an archive"


class EncryptedArchiveError(ArchiveError):
    code = "encrypted_archive"
    title = "Encrypted archive"


class SpanNotFoundError(InputError):
    code = "span_not_found"
    title = "Span not in the text"


class CountError(InputError):
    code = "count_out_of_range"
    title = "Number of items out of range"

    @classmethod
    def check(cls, items: Sized, field: str, most: int) -> None:
        """Raise the error unless there are 1 to `most` items."""
        if not 1 <= len(items) <= most:
            raise cls(
                f"{field} has {len(items):,} items; 1 to {most:,} are allowed",
                field=field,
                limit=most if items else 1,
                actual=len(items),
            )


class DuplicateIdError(InputError):
    code = "duplicate_id"
    title = "Duplicate id"


class UnknownGroupError(InputError):
    code = "unknown_group"
    title = "Unknown group"


class UnknownModelError(InputError):
    code = "model_not_found"
    title = "Model not found"


class UnknownPageError(InputError):
    code = "not_found"
    title = "Not found"


class TokenArraysError(InputError):
    code = "token_arrays"
    title = "Token arrays are not taken"


class UnknownTokenError(InputError):
    code = "unknown_token"
    title = "Unknown token id"


class RequestTooLargeError(InputError):
    code = "request_too_large"
    title = "Request too large"


class AuditOptionsError(InputError):
    code = "audit_options"
    title = "Unusable audit options"


class ImpossibleCountsError(InputError):
    code = "impossible_counts"
    title = "Impossible counts"


class InputErrors(InputError):
    """Everything that is wrong with a request, so that the caller can fix it in one go."""

    code = "validation_failed"
    title = "Validation failed"

    def __init__(self, errors: Sequence[InputError]) -> None:
        super().__init__(f"{len(errors)} inputs are invalid, see `errors`")
        self.errors = list(errors)


class ErrorCollector:
    """Gathers the `InputError`s of several independent checks, to raise them as one.

    Each check runs inside `with collector:`, which swallows and keeps its error.
    """

    def __init__(self) -> None:
        self._errors: list[InputError] = []

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, InputErrors):
            self._errors += error.errors
        elif isinstance(error, InputError):
            self._errors.append(error)
        return isinstance(error, InputError)

    @property
    def errors(self) -> Sequence[InputError]:
        """Those gathered so far."""
        return self._errors

    def raise_any(self) -> None:
        """Raise the one error, or an `InputErrors` of several; return if there was none."""
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise InputErrors(self._errors)


class TableError(InputError):
    code = "unusable_table"
    title = "Unusable table"


class CheckpointError(TableError):
    code = "checkpoint"
    title = "Unusable output folder"


class WindowError(InputError):
    code = "unusable_window"
    title = "Unusable window"


class UnknownDecisionError(InputError):
    code = "unknown_decision"
    title = "Unknown decision"


class OutcomeConflictError(InputError):
    code = "outcome_conflict"
    title = "Another outcome is recorded"


class OutcomeTimeError(InputError):
    code = "outcome_time"
    title = "Impossible outcome time"


class KeyReusedError(InputError):
    code = "idempotency_key_reused"
    title = "Idempotency-Key reused"


class AnswerErasedError(InputError):
    code = "idempotency_answer_erased"
    title = "Answer erased"


class UnknownKeyError(InputError):
    code = "unknown_key"
    title = "Unknown key"


class UnknownJobError(InputError):
    code = "unknown_job"
    title = "Unknown job"


class JobRunningError(InputError):
    code = "job_running"
    title = "Job not over"


class JobDeletedError(InputError):
    code = "job_deleted"
    title = "Job deleted"


class UploadError(InputError):
    code = "unusable_upload"
    title = "Unusable upload"


class UploadTooLargeError(UploadError):
    code = "body_too_large"
    title = "Body too large"


class MediaTypeError(UploadError):
    code = "unsupported_media_type"
    title = "Unsupported media type"


class RowError(InputError):
    code = "malformed_row"
    title = "Malformed row"


class ChunkAbandonedError(InputError):
    code = "abandoned"
    title = "Given up"


class WebhookError(InputError):
    code = "webhook_refused"
    title = "Webhook refused"


class BundleError(EvenmatchError):
    code = "bundle_error"
    title = "Unusable bundle"


class BundleParityError(BundleError):
    code = "bundle_parity_error"
    title = "Bundle parity failed"


class CohortError(EvenmatchError):
    code = "cohort_error"
    title = "Unusable cohort"


class EngineError(EvenmatchError):
    code = "engine_error"
    title = "Inference failed"


class EngineUnavailableError(EngineError):
    code = "engine_unavailable"
    title = "Engine unavailable"


class CalibrationError(EvenmatchError):
    code = "calibration_failed"
    title = "Calibration failed"


class ConfigurationError(EvenmatchError):
    code = "configuration_error"
    title = "Configuration error"


class ProcessError(EvenmatchError):
    code = "process_error"
    title = "No serving process"


class ClusterError(EvenmatchError):
    code = "cluster"
    title = "Cluster not usable"


class MetricsLostError(EvenmatchError):
    code = "metrics_lost"
    title = "Metrics are missing"


class CallerGoneError(EvenmatchError):
    """Never sent: there is nobody to send it to."""

    code = "caller_gone"
    title = "Caller gone"


class SealedError(EvenmatchError):
    code = "sealed"
    title = "Sealed with another key"


class LeaseLostError(EvenmatchError):
    """Never sent: what was computed is dropped, and whoever has the lease goes on."""

    code = "lease_lost"
    title = "Lease lost"


class StoreError(EvenmatchError):
    code = "store_error"
    title = "Decision log unusable"


class DatabaseLostError(StoreError):
    code = "store_lost"
    title = "Decision log deleted or replaced"


class DatabaseDamagedError(StoreError):
    code = "store_damaged"
    title = "Decision log damaged"


class BackupError(EvenmatchError):
    code = "backup_error"
    title = "Backup unusable here"


class DamagedBackupError(BackupError):
    code = "backup_damaged"
    title = "Backup damaged"


class ClockAheadError(StoreError):
    code = "clock_ahead"
    title = "Clock ahead of the decision log"


class CapacityError(EvenmatchError):
    """`retry_after` is the whole number of seconds after which a new try makes sense."""

    code = "no_capacity"
    title = "No capacity"

    def __init__(
        self,
        message: str,
        *,
        retry_after: int = 1,
        limit: int | None = None,
        actual: int | None = None,
    ) -> None:
        super().__init__(message, limit=limit, actual=actual)
        self.retry_after = retry_after


class QueueFullError(CapacityError):
    code = "queue_full"
    title = "Queue full"


class NoIdleTimeError(CapacityError):
    code = "no_idle_time"
    title = "No idle time"


class WarmingUpError(CapacityError):
    code = "warming_up"
    title = "Warming up"


class WorkerDownError(CapacityError):
    code = "worker_down"
    title = "Inference worker down"


class StoreDownError(CapacityError):
    code = "store_down"
    title = "Decisions cannot be recorded"


class ReaderDownError(CapacityError):
    code = "reader_down"
    title = "Reader of long texts down"


class KeysUnavailableError(CapacityError):
    code = "keys_unavailable"
    title = "Keys cannot be checked"


class ShuttingDownError(CapacityError):
    code = "shutting_down"
    title = "Shutting down"


class StoreUnavailableError(CapacityError):
    code = "store_unavailable"
    title = "Store unavailable"


class StoreConflictError(CapacityError):
    code = "store_conflict"
    title = "Conflict in the store"
