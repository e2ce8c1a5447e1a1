package carafe.http;

/// Turns what a handler threw, and what the server itself refuses, into the answer the client sees.
@FunctionalInterface
public interface ErrorMapper {

    /// The answer for `cause`. Must not block and must not throw. [HttpException] carries its own status.
    Answer answer(Throwable cause);

    /// Told what a handler threw when it was too late for an answer and the client had not left; for a log.
    default void tooLate(Throwable cause) {}
}
