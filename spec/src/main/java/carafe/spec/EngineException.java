package carafe.spec;

/// What the engine could not do, by kind. Doors turn the kind into their own numbers (HTTP status, exit code) with
/// one exhaustive switch each; the message is a sentence for people: what was tried, on what, why.
public abstract sealed class EngineException extends Exception {

    private final String sentence;

    private EngineException(String message, Throwable cause) {
        super(message, cause);
        this.sentence = message;
    }

    private EngineException(String message) {
        super(message);
        this.sentence = message;
    }

    /// The sentence; never absent.
    @Override
    public String getMessage() {
        return sentence;
    }

    /// The same kind with `more` behind the sentence, on lines of its own.
    public EngineException with(String more) {
        String longer = sentence + "\n" + more;
        return switch (this) {
            case Invalid _ -> new Invalid(longer);
            case NotFound _ -> new NotFound(longer);
            case Conflict _ -> new Conflict(longer);
            case NotModified _ -> new NotModified(longer);
            case Forbidden _ -> new Forbidden(longer);
            case Unavailable _ -> new Unavailable(longer, this);
            case Unsupported _ -> new Unsupported(longer);
            case Internal _ -> new Internal(longer, this);
        };
    }

    /// The request itself is wrong; repeating it cannot help.
    public static final class Invalid extends EngineException {
        public Invalid(String message) {
            super(message);
        }
    }

    /// The thing named does not exist.
    public static final class NotFound extends EngineException {
        public NotFound(String message) {
            super(message);
        }
    }

    /// The thing is in a state, or a name is in use, that forbids the request now.
    public static final class Conflict extends EngineException {
        public Conflict(String message) {
            super(message);
        }
    }

    /// The state asked for is the state that is: nothing was done. Doors answer success-like (HTTP 304).
    public static final class NotModified extends EngineException {
        public NotModified(String message) {
            super(message);
        }
    }

    /// The caller may not do this.
    public static final class Forbidden extends EngineException {
        public Forbidden(String message) {
            super(message);
        }
    }

    /// Something needed is not there now (disk full, peer down); a later try may succeed.
    public static final class Unavailable extends EngineException {
        public Unavailable(String message) {
            super(message);
        }

        public Unavailable(String message, Throwable cause) {
            super(message, cause);
        }

        /// `what` could not be done because the disk is full, and what helps.
        public static Unavailable full(String what, Throwable cause) {
            return new Unavailable(what + ": no space left on device; system prune removes what nothing uses, then try again",
                    cause);
        }
    }

    /// This host or this engine does not offer it.
    public static final class Unsupported extends EngineException {
        public Unsupported(String message) {
            super(message);
        }
    }

    /// The operating system or the engine failed in a way the caller did not cause.
    public static final class Internal extends EngineException {
        public Internal(String message) {
            super(message);
        }

        public Internal(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
