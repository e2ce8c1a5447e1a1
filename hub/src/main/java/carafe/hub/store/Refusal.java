package carafe.hub.store;

import carafe.spec.Json;

/// A request that the registry refuses, by the reasons of the distribution specification. The message is for people,
/// `detail` for programs.
public final class Refusal extends Exception {

    /// The specification's error codes, and where one code means two things, both.
    public enum Reason {
        BLOB_UNKNOWN,
        BLOB_UPLOAD_INVALID,
        BLOB_UPLOAD_UNKNOWN,
        /// A chunk that does not begin where the upload ends; a range outside the blob.
        RANGE_INVALID,
        DIGEST_INVALID,
        MANIFEST_BLOB_UNKNOWN,
        MANIFEST_INVALID,
        MANIFEST_TOO_LARGE,
        MANIFEST_UNKNOWN,
        NAME_INVALID,
        NAME_UNKNOWN,
        /// The length asked for a page of a list is no number.
        PAGINATION_NUMBER_INVALID,
        SIZE_INVALID,
        UNAUTHORIZED,
        DENIED,
        UNSUPPORTED,
        TOO_MANY_REQUESTS,
        /// What is needed is not there now: the disk is full, an upstream is down.
        UNAVAILABLE
    }

    private final Reason reason;
    private final String sentence;
    private final transient Json detail;

    /// A refusal without detail.
    public Refusal(Reason reason, String message) {
        this(reason, message, Json.NULL);
    }

    /// A refusal with what a program may want to know.
    public Refusal(Reason reason, String message, Json detail) {
        super(message);
        this.reason = reason;
        this.sentence = message;
        this.detail = detail;
    }

    /// Why.
    public Reason reason() {
        return reason;
    }

    /// For programs; [Json#NULL] when there is nothing to say.
    public Json detail() {
        return detail;
    }

    /// The sentence; never absent.
    @Override
    public String getMessage() {
        return sentence;
    }
}
