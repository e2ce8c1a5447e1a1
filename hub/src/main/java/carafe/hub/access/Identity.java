package carafe.hub.access;

import java.util.Optional;

/// Who asks, and how far he let himself be limited: `ticket` holds the scopes of the token he showed.
public record Identity(Kind kind, String name, Optional<Ticket> ticket) {

    /// How he is known.
    public enum Kind {
        /// Came through a socket that only the machine's own can open.
        LOCAL,
        USER,
        ANONYMOUS
    }

    /// Whoever came through a local socket.
    public static final Identity LOCAL = new Identity(Kind.LOCAL, "local", Optional.empty());

    /// Whoever showed nothing.
    public static final Identity ANONYMOUS = new Identity(Kind.ANONYMOUS, "anonymous", Optional.empty());

    /// A user by password.
    static Identity user(String name) {
        return new Identity(Kind.USER, name, Optional.empty());
    }

    /// Whether he has shown neither name nor token.
    public boolean isNobody() {
        return kind == Kind.ANONYMOUS && ticket.isEmpty();
    }
}
