package carafe.http;

/// Turns what a handler threw, and what the server itself refuses, into the answer the client sees.
@FunctionalInterface
public interface ErrorMapper {

    /// The answer for `cause`. Must not block and must not throw. [HttpException] carries its own status.
    Answer answer(Throwable cause);
}
